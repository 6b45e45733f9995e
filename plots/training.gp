# A run of the Gaussian-mixture VAE: its loss, its clusters, its latent plane, what it draws.
# run: gmvae loss clusters occupancy latent regions centres

if (run eq "") exit


two_panels = "set multiplot layout 2, 1 margins 0.17, 0.97, 0.17, 0.92 spacing 0, 0.15; eval key_above"

eval figure("loss", 3.1)
# Where q(c|x) is no longer held at the clusters found.
before = 0; freed = ""
note(epoch, held) = (freed = before == 1 && held == 0 ? freed . sprintf(" %g", epoch - 0.5) : freed, before = held)
stats data("loss") index 0 using (note($1, $7)) nooutput
mark_freed = "do for [i = 1:words(freed)] {" . \
             " set arrow i from real(word(freed, i)), graph 0 to real(word(freed, i)), graph 1 nohead ls 9 }"
eval mark_freed
eval two_panels
set ylabel "nats"
stats data("loss") index 0 using 1 nooutput
set xrange [0:STATS_max]
set format x ""
set ytics autofreq
set offsets 0, 0, graph 0.05, graph 0.05
plot data("loss") index 0 using 1:2 with linespoints ls 1 title minus . "ELBO", \
     "" index 0 using 1:(-$3) with linespoints ls 2 title minus . "reconstruction"
set format x number
set xlabel "epoch"
plot data("loss") index 0 using 1:6 with linespoints ls 3 title "entropy", \
     "" index 0 using 1:5 with linespoints ls 4 title "categorical", \
     "" index 0 using 1:4 with linespoints ls 5 title "latent"
unset multiplot

stats data("centres") using 1 nooutput; K = int(STATS_max) + 1
stats data("clusters") using 1 nooutput; last = STATS_max

eval figure("clusters", 3.6)
eval mark_freed
set multiplot layout 2, 1 margins 0.16, 0.93, 0.15, 0.88 spacing 0, 0.05
set xrange [0:last]
set yrange [0:1]
set format x ""
set ylabel "on test images"
eval key_above
plot data("clusters") using 1:3 with lines ls 5 title "purity", \
     "" using 1:4 with lines ls 2 title "NMI", \
     "" using 1:2 with linespoints ls 1 title "accuracy", \
     "" using 1:5 with lines ls 3 title "ARI"
# The shares lie upon each other; the cluster's number stands at the end.
set format x number
set xlabel "epoch"
set ylabel "share of each cluster"
unset key
do for [c = 0:K - 1] {
    stats data("occupancy") index c using ($1 == last ? $3 - $2 / 2 : NaN) nooutput
    set label c + 1 sprintf("%d", c) at last, STATS_max offset 0.4, 0
}
plot for [c = K - 1:0:-1] data("occupancy") index c using 1:3 with filledcurves y=0 \
         fillcolor rgb (c % 2 ? "#BBD7EA" : "#E9F1F7"), \
     for [c = 0:K - 1] "" index c using 1:3 with lines ls 9
unset multiplot


eval figure("latent", 3.2)
set style textbox opaque margins 0.6, 0.6 fillcolor "white" noborder
set xlabel "first axis"; set ylabel "second axis" offset 1, 0
unset key
set xtics autofreq; set ytics autofreq
tint = "#56B4E9 #D55E00 #0072B2 #8C8C8C #E69F00 #009E73 #CC79A7 #000000 #B0A000 #7A5195"
colour(i) = word(tint, 1 + i % words(tint))
plot for [i = 0:K - 1] data("latent") index i using 1:2 with points pt 7 ps 0.14 lc rgb colour(i), \
     for [i = 0:K - 1] data("regions") index i using 1:2 with lines lw 1.2 lc rgb "#404040", \
     data("centres") using 2:3:1 with labels boxed

# A row a cluster; beside it the cluster's number, its commonest label and the share that has it.
picture = run . "/samples.png"
eval size_of(picture)
eval figure("samples", 2.5)
unset border; unset tics; unset key
set margins 0, 0, 0, 0
set size ratio -1
set xrange [-0.32 * wide:wide]; set yrange [0:1.06 * high]
set label 100 "cluster" at -0.31 * wide, 1.03 * high
set label 101 "label" at -0.02 * wide, 1.03 * high right
row(i) = high - (i + 0.5) * high / K
# Labels from data lose a backslash of two.
share(label, s) = label == label ? sprintf(tex ? "%d, %.0f\\\\,\\\\%%" : "%d, %.0f %%", label, 100 * s) : ""
plot picture binary filetype=png using 1:1:1 with rgbimage, \
     data("centres") using (-0.31 * wide):(row($1)):(sprintf("%d", $1)) with labels left, \
     "" using (-0.02 * wide):(row($1)):(share($5, $6)) with labels right
