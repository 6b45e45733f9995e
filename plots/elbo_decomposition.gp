# What each choice of q(c|x) costs, and how far the bounds stay below log p(x).

best = math("{/:Italic q}*({/:Italic c}|{/:Italic x})", "q^*(c\\mid x)")
pcz = math("{/:Italic p}({/:Italic c}|{/:Italic z})", "p(c\\mid z)")
pc = math("{/:Italic p}({/:Italic c})", "p(c)")
px = math("log {/:Italic p}({/:Italic x})", "\\log p(x)")

eval figure("choices", 2.4)
set xlabel "overlap of the two clusters"
set ylabel "nats lost"
set xrange [0:0.9]; set yrange [0:1]
set key top right
plot data("choices") using 1:6 with lines ls 5 title pc, \
     "" using 1:3 with lines ls 3 title pcz . " at one draw", \
     "" using 1:5 with lines ls 2 title pcz . " at the mean", \
     "" using 1:4 with lines ls 1 title "average of " . pcz

eval figure("gaps", 2.9)
set logscale x; set xtics (0.2, 0.5, 1, 2)
set xlabel "standard deviation of " . math("{/:Italic q}({/:Italic z}|{/:Italic x})", "q(z\\mid x)")
set ylabel "nats"
set xrange [0.2:2.4]; set yrange [-4.2:-1]
set key outside top center horizontal maxcols 1
plot data("gaps") using 1:2 with lines ls 1 title px, \
     "" using 1:3 with lines ls 2 title "bound, " . pcz . " for every " . math("{/:Italic z}", "z"), \
     "" using 1:4 with lines ls 3 title "bound, " . best, \
     "" using 1:5 with lines ls 5 title "bound, " . pc
