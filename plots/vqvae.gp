# A run of the VQ-VAE: its loss, its codes, its reconstructions.
# run: vqvae codes prior usage

if (run eq "") exit

eval figure("codes", 2.9)
stats data("codes") using 1 nooutput; last = STATS_max
set multiplot layout 2, 1 margins 0.17, 0.97, 0.15, 0.86 spacing 0, 0.17
eval key_above
set xrange [0.8:last + 0.2]
set xtics 1
set format x ""
set ylabel "codes"
set yrange [0:*]
plot data("codes") using 1:7 with linespoints ls 5 title "chosen at all", \
     "" using 1:6 with linespoints ls 1 title "perplexity", \
     "" using 1:8 with linespoints ls 3 title "revived"
set format x number
set xlabel "epoch"
set ylabel "nats an image"
set yrange [*:*]
plot data("codes") using 1:2 with linespoints ls 1 title "loss", \
     "" using 1:3 with linespoints ls 2 title minus . "log " . math("{/:Italic p}({/:Italic x}|{/:Italic z}_q)", "p(x\\mid z_q)")
unset multiplot

eval figure("usage", 2.2)
stats data("usage") using 1 nooutput; codes = STATS_max
set xlabel "code, the commonest first"
set ylabel "share of all places"
set xrange [0:codes]; set yrange [0:*]
set key top right
plot data("usage") using 1:2 with lines ls 1 title "as chosen", \
     1 / codes with lines ls 5 title "all alike"

# Rows of test images, and below each what the decoder makes of it.
picture = run . "/reconstructions.png"
eval size_of(picture)
eval figure("reconstructions", column_width * high / wide)
unset border; unset tics; unset key
set margins 0, 0, 0, 0
set xrange [0:wide]; set yrange [0:high]
plot picture binary filetype=png using 1:1:1 with rgbimage
