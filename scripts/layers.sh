# SPDX-License-Identifier: GPL-2.0-or-later
#
# layers.sh, to be sourced: $layers_awk, the part of an awk program that reads scripts/layers.txt, its first file, and
# answers place(file): the longest path of the list that the file is, or is below. layer[place] is then its layer's
# name, level[place] its height; of what stands apart, 0.
layers_awk='
    function place(file,   p, best) {
        best = ""
        for (p in layer)
            if ((p == file || (p ~ /\/$/ && index(file, p) == 1)) && length(p) > length(best)) best = p
        return best
    }
    FILENAME ~ /layers\.txt$/ && /^(layer|beside|apart)/ {
        if ($1 == "layer") height++
        for (i = 3; i <= NF; i++) {
            layer[$i] = $2
            level[$i] = $1 == "apart" ? 0 : height
        }
    }'
