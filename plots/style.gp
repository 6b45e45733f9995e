# What all figures share.  `make plots` sets four variables before it:
#   format   svg, pdf, png or cairolatex
#   plot     where data come from, e.g. build/plots/mode_seeking
#   run      the folder of the training run that the script names ("# run: MODEL SERIES..."), or ""
#   into     where figures go; a folder of its own for cairolatex, whose PDFs have no letters
#
# A script says, for each figure,
#   eval figure("depth", 2.4)          # its name, and its height in inches
#   plot data("minima") using 1:4 ls 1
# A figure is one column of a two-column page wide, 3.4 in, in 9 pt type.

if (!exists("format")) format = "svg"
if (!exists("plot")) plot = "build/plots/plot"
if (!exists("into")) into = plot
if (!exists("run")) run = ""

data(series) = sprintf("%s-%s.tsv", plot, series)

column_width = 3.4
serif = "Latin Modern Roman"
extension(f) = f eq "cairolatex" ? "tex" : f
terminal(f, h) = \
    f eq "pdf" ? sprintf("set terminal pdfcairo size %gin,%gin font '%s,9' fontscale 0.62 linewidth 1 pointscale 0.7 dashlength 0.8", column_width, h, serif) : \
    f eq "png" ? sprintf("set terminal pngcairo size %d,%d font '%s,9' fontscale 2.8 linewidth 2.8 pointscale 2 dashlength 0.8", 1020, 300 * h, serif) : \
    f eq "cairolatex" ? sprintf("set terminal cairolatex pdf size %gin,%gin header '\\footnotesize' fontscale 0.58 linewidth 1.2 dashlength 0.8", column_width, h) : \
    sprintf("set terminal svg size %d,%d font 'Latin Modern Roman,CMU Serif,Times New Roman,serif,12' linewidth 1.2 dashlength 0.8 background 'white'", 100 * column_width * 1.32, 132 * h)
figure(name, height) = sprintf("reset; %s; set output '%s-%s.%s'; %s", \
    terminal(format, height), into, name, extension(format), settings)

# Greek and formulas: TeX sets its own, the others use the characters themselves.
tex = format eq "cairolatex"
math(plain, latex) = tex ? "$" . latex . "$" : plain
minus = tex ? "$-$" : "−"
percent = tex ? "\\,\\%" : " %"
greek(letter) = "{/'Latin Modern Math' " . letter . "}" # from the block of italic mathematics

# Colours of Okabe and Ito that also differ in lightness, each with a dash and a mark of its own:
# a figure must be readable in print without colour.
black = "#000000"; blue = "#0072B2"; red = "#D55E00"; sky = "#56B4E9"; grey = "#8C8C8C"
settings = "set border 3 linewidth 0.6; set tics nomirror scale 0.6; set key noautotitle Left reverse samplen 2.2 spacing 1.05; " \
    . "set style line 1 linecolor rgb black linewidth 1.6 dashtype 1 pointtype 7 pointsize 0.4; " \
    . "set style line 2 linecolor rgb blue linewidth 1.6 dashtype (10,3) pointtype 9 pointsize 0.5; " \
    . "set style line 3 linecolor rgb red linewidth 1.6 dashtype (4,3) pointtype 5 pointsize 0.45; " \
    . "set style line 4 linecolor rgb sky linewidth 1.6 dashtype (9,3,2,3) pointtype 13 pointsize 0.55; " \
    . "set style line 5 linecolor rgb grey linewidth 1.2 dashtype (2,2) pointtype 6 pointsize 0.5; " \
    . "set style line 9 linecolor rgb grey linewidth 0.6 dashtype 1; " \
    . "set samples 400; set encoding utf8; set minussign; " \
    . (tex ? "set format '$%g$'" : "set format y '%g'")

# The pixels of a grey picture, as `wide` and `high`.
size_of(picture) = sprintf("reset; set output; set terminal dumb; set output '/dev/null'; plot '%s' binary filetype=png using 1:1:1 with rgbimage; \
    wide = floor(GPVAL_DATA_X_MAX + 1); high = floor(GPVAL_DATA_Y_MAX + 1)", picture)

# The key above the frame, on one line.
# An entry that seems too wide is left out, and TeX's commands seem wide.
key_above = "set key at graph 0.5, graph 1.05 center bottom horizontal" . (tex ? " width -3" : "")

# The format of a number on an axis.
number = tex ? "$%g$" : "%g"

# Powers of ten on a logarithmic axis.
powers(axis) = sprintf("set logscale %s; set format %s '%s'", axis, axis, tex ? "$10^{%T}$" : "10^{%T}")
