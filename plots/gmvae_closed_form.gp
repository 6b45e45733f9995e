# The bound from L draws around its expectation, and what the closed form saves.

eval figure("estimate", 2.3)
set logscale x 2
set xlabel "draws " . math("{/:Italic L}", "L")
set ylabel "estimate " . minus . " bound in nats"
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

# The trainer's loss along the run of `make train`, one draw for each image of its batch.  The batch's
# own draws scatter about the formula; with the same draws there is rounding.
# run: gmvae audit
if (run eq "") exit
eval figure("trained", 3.2)
stats data("audit") using 1 nooutput; first = STATS_min; last = STATS_max
set multiplot layout 2, 1 margins 0.17, 0.97, 0.15, 0.93 spacing 0, 0.22
eval key_above
set xrange [first - 0.5:last + 0.5]
set format x ""
set ylabel "in deviations"
set yrange [-3:3]
set ytics 1
set object 1 rectangle from graph 0, first -2 to graph 1, first 2 behind fillcolor rgb "#E4E4E4" fillstyle solid noborder
plot 0 with lines ls 9, \
     data("audit") using 1:($4 / $5) with points ls 1 title "loss " . minus . " formula with fresh draws"
unset object 1
eval powers("y")
set format x number
set ytics autofreq
set xlabel "epoch"
set ylabel "nats"
set yrange [1e-8:100]
set key maxcols 2
plot data("audit") using 1:5 with lines ls 1 title "deviation of a batch", \
     "" using 1:3 with lines ls 5 title "bound of rounding", \
     "" using 1:(abs($2)) with linespoints ls 2 title "loss " . minus . " formula, same draws"
unset multiplot
