# k1, k2 and k3 as estimates of KL(q||p), and the two ways to its gradient.

k(i) = math(sprintf("{/:Italic k}_%d", i), sprintf("k_%d", i))
divergence = math("KL({/:Italic q}‖{/:Italic p})", "\\mathrm{KL}(q\\|p)")

eval figure("bias", 2.2)
eval powers("x")
set xlabel divergence . " in nats"
set ylabel "bias / " . divergence
set xrange [1e-3:10]; set yrange [-0.2:3]
set key top left
plot data("bias") using 1:2 with lines ls 1 title k(1), \
     "" using 1:3 with lines ls 2 title k(2), \
     "" using 1:4 with lines ls 3 title k(3)

eval figure("spread", 2.2)
eval powers("xy")
set xlabel divergence . " in nats"
set ylabel "standard deviation / " . divergence
set xrange [1e-3:10]; set yrange [0.3:1e5]
set key top center
plot data("bias") using 1:5 with lines ls 1 title k(1), \
     "" using 1:6 with lines ls 2 title k(2), \
     "" using 1:7 with lines ls 3 title k(3)

eval figure("convergence", 2.9)
eval powers("xy")
set xlabel "evaluations of the integrand"
set ylabel "error in nats"
set xrange [4:4096]; set yrange [1e-16:10]
set key outside top center horizontal maxcols 1
least(e) = e < 1e-16 ? 1e-16 : e
plot data("convergence") using 1:2 with linespoints ls 1 title "Monte Carlo, " . k(1), \
     "" using 1:3 with linespoints ls 2 title "Monte Carlo, " . k(3), \
     "" using 1:(least($4)) with linespoints ls 3 title "Gauss–Hermite", \
     "" using 1:(least($5)) with linespoints ls 4 title "trapezoidal rule"

eval figure("gradients", 2.2)
eval powers("xy")
set xlabel "distance of the means " . math("{/:Italic d}", "d")
set ylabel "variance of one draw"
set xrange [0.05:5]; set yrange [0.1:3000]
set key top left
plot data("gradients") using 1:2 with lines ls 2 title "score function", \
     "" using 1:3 with lines ls 3 title "score function, baseline", \
     "" using 1:4 with lines ls 1 title "reparameterisation"
