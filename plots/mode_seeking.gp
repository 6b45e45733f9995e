# One hump for two: the fits of both directions, their landscapes, and how the minima change as the
# humps part.

mu = math(greek("𝜇") . " {/:Italic / s}", "\\mu/s"); log_tau = math("log(" . greek("𝜏") . " {/:Italic / s})", "\\log(\\tau/s)")
ratio = math("{/:Italic m / s}", "m/s")
reverse_kl = math("KL({/:Italic q}‖{/:Italic p})", "\\mathrm{KL}(q\\|p)")
forward_kl = math("KL({/:Italic p}‖{/:Italic q})", "\\mathrm{KL}(p\\|q)")

eval figure("fits", 2.2)
set xlabel math("{/:Italic x / s}", "x/s")
set ylabel "density"
set xrange [-8:8]; set yrange [0:0.7]
set key top left
plot data("target") using 1:2 with filledcurves y=0 fillcolor rgb "#DDDDDD" title math("{/:Italic p}", "p"), \
     "" using 1:3 with lines ls 2 title "minima of " . reverse_kl, \
     "" using 1:4 with lines ls 2, \
     "" using 1:6 with lines ls 3 title "minimum of " . forward_kl

# Level lines first, into a file of their own; then the lines and the stationary points.
levels(column) = sprintf("set format '%%g'; set contour base; unset surface; set cntrparam levels discrete 0.3,0.5,0.7,0.8,0.9,1,1.2,1.5,2,3,5,8,12; \
    set table '%s-levels.tsv'; splot '%s' using 1:2:%d; unset table; unset contour; set format '%s'", plot, data("landscapes"), column, number)
axes = "set xlabel mu; set ylabel log_tau; set xrange [-4.5:4.5]; set yrange [-0.6:1.8]"

eval figure("landscape-reverse", 2.5)
eval levels(3)
eval axes
set key outside top center horizontal
plot plot . "-levels.tsv" using 1:2 with lines ls 9, \
     data("stationary") index 0 using 1:($4 == 2 ? $2 : NaN) with points pt 7 ps 0.9 lc rgb blue title "minimum of " . reverse_kl, \
     "" index 0 using 1:($4 == 1 ? $2 : NaN) with points pt 2 ps 0.9 lw 1.5 lc rgb red title "saddle"

eval figure("landscape-forward", 2.5)
eval levels(4)
eval axes
set key outside top center horizontal
plot plot . "-levels.tsv" using 1:2 with lines ls 9, \
     data("stationary") index 1 using 1:2 with points pt 7 ps 0.9 lc rgb blue title "minimum of " . forward_kl

# The critical separations, read from the data.
reset
stats data("critical") using 1 every ::0::0 nooutput; fold = STATS_min
stats data("critical") using 1 every ::1::1 nooutput; equal = STATS_min

marks = "set arrow 1 from fold, graph 0 to fold, graph 1 nohead ls 9; \
    set arrow 2 from equal, graph 0 to equal, graph 1 nohead ls 9; \
    set label 1 sprintf('%.3f', fold) at fold, graph 1.03 right; \
    set label 2 sprintf('%.3f', equal) at equal, graph 1.03 left"

eval figure("minima", 2.4)
eval marks
set xlabel ratio
set ylabel "place " . mu
set xrange [0:5]; set yrange [-5:5]
set key bottom left
plot data("minima") using 1:2 with lines ls 2 title "outer minima", \
     "" using 1:(-$2) with lines ls 2, \
     "" using 1:5 with lines ls 3 title "saddles", \
     "" using 1:(-$5) with lines ls 3, \
     "" using 1:(0) with lines ls 1 title "middle minimum"

eval figure("depth", 2.4)
eval marks
set xlabel ratio
set ylabel "divergence in nats"
set xrange [0:5]; set yrange [0:1.6]
set arrow 3 from 0, log(2) to 5, log(2) nohead ls 5
set label 3 "log 2" at 0.15, log(2) + 0.06
set key top left samplen 1.2
plot data("minima") using 1:4 with lines ls 2 title "outer minima", \
     "" using 1:7 with lines ls 3 title "saddles", \
     "" using 1:9 with lines ls 1 title "middle minimum", \
     "" using 1:10 with lines ls 4 title "least " . forward_kl
