# z = mu + L eps: draws, distances, and the signs on the diagonal of L.

z(i) = math(sprintf("{/:Italic z}_%d", i), sprintf("z_%d", i))

eval figure("samples", 2.6)
set xlabel z(1); set ylabel z(2)
set xrange [-4:5]; set yrange [-4.2:3.8]
set key bottom right
plot data("samples") index 0 using 1:2 with points pt 7 ps 0.18 lc rgb sky title "draws of " . math(greek("𝜇") . " + {/:Italic L}" . greek("𝜀"), "\\mu+L\\epsilon"), \
     "" index 1 using 1:2 with lines ls 1 lw 1 title "50, 90, 99" . percent

eval figure("mahalanobis", 2.5)
set xlabel "quantile of " . math(greek("𝜒") . "@^2_{/:Italic d}", "\\chi^2_d")
set ylabel "squared distance"
set xrange [0:26]; set yrange [0:30]
set key top left
plot x with lines ls 9, \
     for [i = 0:3] data("mahalanobis") index i using 1:2 with points ls (i + 1) ps 0.45 title math(sprintf("{/:Italic d} = %d", i < 2 ? i + 1 : 2 * i), sprintf("d = %d", i < 2 ? i + 1 : 2 * i))

sign(i) = i == 0 ? ">" : i == 1 ? "<" : "="
eval figure("diagonal", 1.6)
set multiplot layout 1, 3 margins 0.12, 0.99, 0.27, 0.87 spacing 0.03, 0
set xlabel z(1) offset 0, 0.3
set ylabel z(2) offset 1, 0
set xrange [-4:5]; set yrange [-4.2:3.8]
set xtics -3, 3; set ytics -3, 3
do for [i = 0:2] {
    set title math("{/:Italic L}_{22} " . sign(i) . " 0", "L_{22} " . sign(i) . " 0") offset 0, -0.7
    plot data("diagonal") index 2 * i using 1:2 with points pt 7 ps 0.15 lc rgb sky, \
         "" index 2 * i + 1 using 1:2 with lines ls 1 lw 1
    unset ylabel
    set format y ""
}
unset multiplot
