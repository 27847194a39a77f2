# Unpacks $debs into $out and ties what is in them to the store; besides what fix-up.sh says, `links` is links.awk.

. "$fixUp"

# Folders joined to what is there already.
join() {
  if [ -d "$1" ]; then
    mkdir -p "$2"
    cp -a "$1/." "$2/"
    rm -rf "$1"
  fi
}

unpack() {
  mkdir "$NIX_BUILD_TOP/files"
  cd "$NIX_BUILD_TOP/files"
  for deb in $debs; do
    ar -p "$deb" data.tar.xz | xz -d | tar -x
  done
  # Debian's own matters, and what only people read: as `slim` in plywood.
  rm -rf usr/share/doc-base usr/share/lintian usr/share/bug usr/share/menu usr/share/man usr/share/info usr/share/locale \
    usr/share/perl5/Debian var run
  if [ -d usr/share/doc ]; then find usr/share/doc -type f ! -name copyright -exec rm -f {} +; fi
  find . -type l | sort | while read -r link; do
    printf '%s\t%s\n' "$link" "$(readlink "$link")"
    rm "$link"
  done | awk -v triplet="$triplet" -f "$links" > "$NIX_BUILD_TOP/links"
  chmod -R u+w .
}

arrange() {
  mkdir -p "$out"
  join "usr/lib/$triplet" "$out/lib"
  join "lib/$triplet" "$out/lib"
  join usr/lib64 "$out/lib"
  join lib64 "$out/lib"
  join "usr/include/$triplet" "$out/include"
  join usr/sbin "$out/bin"
  join sbin "$out/bin"
  for folder in bin lib etc opt; do join "$folder" "$out/$folder"; done
  for folder in usr/*; do join "$folder" "$out/${folder#usr/}"; done
}

# Links are made anew, since folders were moved: to the package's own files, else to a library's; others lead nowhere here.
relink() {
  # A link may lead to a link: as long as some are made there is hope for the rest.
  left=
  while [ "$left" != "$(wc -l < "$NIX_BUILD_TOP/links")" ]; do
    left=$(wc -l < "$NIX_BUILD_TOP/links")
    while read -r place target; do
      make_link "$place" "$target" || printf '%s\t%s\n' "$place" "$target"
    done < "$NIX_BUILD_TOP/links" > "$NIX_BUILD_TOP/rest"
    mv "$NIX_BUILD_TOP/rest" "$NIX_BUILD_TOP/links"
  done
}

make_link() {
  for root in "$out" $libraries; do
    if [ -e "$root/$2" ]; then
      mkdir -p "$(dirname "$out/$1")"
      if [ "$root" != "$out" ]; then
        ln -s "$root/$2" "$out/$1"
      elif [ "$(dirname "$1")" = "$(dirname "$2")" ]; then
        ln -s "$(basename "$2")" "$out/$1"
      else
        ln -s "$(echo "${1%/*}" | sed 's,[^/]*,..,g')/$2" "$out/$1"
      fi
      return 0
    fi
  done
  return 1
}

unpack
arrange
relink
finish
