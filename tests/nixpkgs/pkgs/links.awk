# From lines `link<TAB>target`, paths of a Debian system, to lines `place<TAB>target`, both below a package's output.
BEGIN { FS = OFS = "\t" }

# Without `.`, `..` and leading slashes.
function plain(path,    parts, count, kept, at, text) {
  count = split(path, parts, "/")
  kept = 0
  for (at = 1; at <= count; at++) {
    if (parts[at] == "" || parts[at] == ".") continue
    if (parts[at] == "..") { if (kept > 0) kept--; continue }
    parts[++kept] = parts[at]
  }
  text = ""
  for (at = 1; at <= kept; at++) text = text (at > 1 ? "/" : "") parts[at]
  return text
}

# The same moves as from-deb.sh makes with folders.
function place_of(path) {
  sub("^usr/", "", path)
  sub("^lib64/", "lib/", path)
  sub("^sbin/", "bin/", path)
  if (index(path, "lib/" triplet "/") == 1) path = "lib/" substr(path, length("lib/" triplet "/") + 1)
  if (index(path, "include/" triplet "/") == 1) path = "include/" substr(path, length("include/" triplet "/") + 1)
  return path
}

{
  folder = $1
  sub("[^/]*$", "", folder)
  target = place_of(plain($2 ~ "^/" ? $2 : folder $2))
  place = place_of(plain($1))
  if (place != target) print place, target
}
