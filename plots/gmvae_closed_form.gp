# The bound from L draws around its expectation, and what the closed form saves.

eval figure("estimate", 2.3)
set logscale x 2
set xlabel "draws " . math("{/:Italic L}", "L")
set ylabel "estimate − bound in nats"
set xrange [1:1024]; set yrange [-0.5:0.5]
set xtics (1, 4, 16, 64, 256, 1024)
set key top right
plot data("estimate") using 1:2:6 with filledcurves fillcolor rgb "#E4E4E4" title "nine in ten estimates", \
     "" using 1:3:5 with filledcurves fillcolor rgb "#BDBDBD" title "half of them", \
     "" using 1:4 with lines ls 1 lw 1 title "median", \
     "" using 1:7 with lines ls 2 lw 1 title math("±" . greek("𝜎") . " / √{/:Italic L}", "\\pm\\sigma/\\sqrt{L}"), \
     "" using 1:(-$7) with lines ls 2 lw 1

eval figure("convergence", 2.9)
eval powers("xy")
set xlabel "evaluations of the integrand"
set ylabel "error in nats"
set xrange [1:1024]; set yrange [1e-17:100]
set key outside top center horizontal maxcols 1
least(e) = e < 1e-16 ? 1e-16 : e
plot data("convergence") using 1:2 with linespoints ls 1 title "samples, terms in closed form", \
     "" using 1:3 with linespoints ls 5 title "samples, decoder", \
     "" using 1:(least($4)) with linespoints ls 2 title "Gauss–Hermite, closed", \
     "" using 1:(least($5)) with linespoints ls 3 title "Gauss–Hermite, decoder"
