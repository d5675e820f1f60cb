# Draws one plot as SVG. Lines of input: series, x, y, with tabs between. Variables: title, kind (lines: x is a size, on a
# logarithmic axis; bars: x is a name, in the order of the input).
BEGIN {
  FS = "\t"
  split("#1f6f8b #c8553d #6a994e #8d6a9f #b08d3c", colour, " ")
}
{
  if (!($1 in series)) { series[$1] = ++series_count; name[series_count] = $1 }
  if (!($2 in place)) { place[$2] = ++places; label[places] = $2 }
  y[$1, $2] = $3
  if ($3 > top) top = $3
}
function text(x, at, anchor, words) {
  gsub(/&/, "\\&amp;", words)
  gsub(/</, "\\&lt;", words)
  printf "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">%s</text>\n", x, at, anchor, words
}
# 1, 2 or 5 times a power of ten, for about four lines.
function step_of(range,   power, part) {
  power = 10 ^ int(log(range / 4) / log(10) + 100) / 10 ^ 100
  part = range / 4 / power
  return power * (part > 5 ? 10 : part > 2 ? 5 : part > 1 ? 2 : 1)
}
function short(value) {
  return value >= 1e6 ? sprintf("%.3gM", value / 1e6) : value >= 1e4 ? sprintf("%.3gk", value / 1e3) : sprintf("%.4g", value)
}
function x_of(i,   low, high) {
  if (kind == "bars") return left + width * (i - 0.5) / places
  low = log(label[1])
  high = log(label[places])
  return left + 20 + (width - 40) * (high > low ? (log(label[i]) - low) / (high - low) : 0.5)
}
function y_of(value) { return bottom - (bottom - upper) * value / top }
END {
  left = 70; upper = 50 + 18 * int((series_count + 2) / 3)
  row_height = 26
  if (kind == "bars") { horizontal(); exit }
  width = 620; bottom = upper + 240
  head(left + width + 20, bottom + 40)
  legend()
  step = step_of(top)
  for (value = 0; value <= top * 1.0001; value += step) {
    printf "<line x1=\"%d\" x2=\"%d\" y1=\"%.1f\" y2=\"%.1f\" stroke=\"#ddd\"/>\n", left, left + width, y_of(value), y_of(value)
    text(left - 6, y_of(value) + 4, "end", short(value))
  }
  for (i = 1; i <= places; ++i) text(x_of(i), bottom + 18, "middle", label[i])
  for (s = 1; s <= series_count; ++s) {
    points = ""
    for (i = 1; i <= places; ++i) {
      if (!((name[s], label[i]) in y)) continue
      points = points sprintf("%.1f,%.1f ", x_of(i), y_of(y[name[s], label[i]]))
      printf "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"3\" fill=\"%s\"/>\n", x_of(i), y_of(y[name[s], label[i]]), colour[s]
    }
    printf "<polyline points=\"%s\" fill=\"none\" stroke=\"%s\" stroke-width=\"1.5\"/>\n", points, colour[s]
  }
  print "</svg>"
}
# One group of bars for each name, below each other.
function horizontal(   i, s, at, bar, length_of) {
  left = 300; width = 420; bar = 12
  bottom = upper + places * (series_count * bar + 10)
  head(left + width + 90, bottom + 20)
  legend()
  for (i = 1; i <= places; ++i) {
    at = upper + (i - 1) * (series_count * bar + 10)
    text(left - 8, at + series_count * bar / 2 + 4, "end", label[i])
    for (s = 1; s <= series_count; ++s) {
      if (!((name[s], label[i]) in y)) continue
      length_of = width * y[name[s], label[i]] / top
      printf "<rect x=\"%d\" y=\"%.1f\" width=\"%.1f\" height=\"%d\" fill=\"%s\"/>\n", left, at + (s - 1) * bar, length_of, bar - 2, colour[s]
      text(left + length_of + 4, at + (s - 1) * bar + 10, "start", short(y[name[s], label[i]]))
    }
  }
  print "</svg>"
}
function head(w, h) {
  printf "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" viewBox=\"0 0 %d %d\" font-family=\"sans-serif\" font-size=\"11\">\n", w, h, w, h
  printf "<rect width=\"%d\" height=\"%d\" fill=\"white\"/>\n", w, h
  text(20, 24, "start", title)
}
function legend(   s, at_x, at_y) {
  for (s = 1; s <= series_count; ++s) {
    at_x = 20 + 220 * ((s - 1) % 3)
    at_y = 42 + 18 * int((s - 1) / 3)
    printf "<rect x=\"%d\" y=\"%d\" width=\"10\" height=\"10\" fill=\"%s\"/>\n", at_x, at_y - 9, colour[s]
    text(at_x + 15, at_y, "start", name[s])
  }
}
