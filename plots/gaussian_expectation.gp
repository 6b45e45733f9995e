# The lemma by nodes and by samples.  Two Gauss-Hermite nodes are exact: log p is a parabola.

eval figure("convergence", 2.4)
eval powers("xy")
set xlabel "evaluations of the integrand"
set ylabel "error in nats"
set xrange [1:4096]; set yrange [1e-17:100]
set key at graph 1, 0.7
least(e) = e < 1e-16 ? 1e-16 : e
plot data("convergence") using 1:2 with linespoints ls 1 title "Monte Carlo", \
     "" using 1:(least($3)) with linespoints ls 3 title "Gauss–Hermite", \
     "" using 1:(least($4)) with linespoints ls 4 title "trapezoidal rule"
