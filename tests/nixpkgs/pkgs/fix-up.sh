# Ties programs to the store. Environment: triplet, loader, pageSize (of the packages' architecture), libc (empty for libc
# itself), libraries and interpreters (store paths), extraPath and mayLack (folders and libraries), and as in stdenv: patches,
# postInstall, postFixup. The one output is `out`, or `lib` of what is but libraries.
out=${out:-$lib}

# Every hook is a text of commands.
run_hook() {
  eval "$1"
}

# The folder that has a library, or nothing.
folder_of() {
  for root in "$out" $libraries $libc; do
    if [ -e "$root/lib/$1" ]; then
      echo "$root/lib"
      return
    fi
  done
  found=$(find "$out/lib" -name "$1" 2> /dev/null | head -n 1)
  if [ -n "$found" ]; then dirname "$found"; fi
}

tie() {
  needed=$(patchelf --print-needed "$1" 2> /dev/null) || return 0
  path=
  for library in $needed; do
    folder=$(folder_of "$library")
    if [ -z "$folder" ]; then
      case " ${mayLack-} " in
        *" $library "*) continue ;;
      esac
      echo "$1 needs $library, which no package in libraries has" >&2
      exit 1
    fi
    case ":$path:" in
      *":$folder:"*) ;;
      *) path=${path:+$path:}$folder ;;
    esac
  done
  path=${extraPath:+$extraPath:}$path
  if [ -z "$needed" ] && [ -z "$path" ]; then return 0; fi
  # Sorted, the program headers of what is not position-independent lead nowhere: patchelf 0.18 breaks Debian's Python.
  set -- --no-sort --page-size "$pageSize" --set-rpath "$path" "$1"
  if patchelf --print-interpreter "$6" > /dev/null 2>&1; then
    patchelf --set-interpreter "$libc/lib/$loader" "$@"
  else
    patchelf "$@"
  fi
}

# `#!/usr/bin/env python3` and `#!/bin/sh` become the interpreter's own path, where one of $interpreters has it.
settle_script() {
  read -r line < "$1" || true
  words=${line#"#!"}
  set -- "$1" $words
  if [ $# -ge 3 ] && [ "${2##*/}" = env ]; then
    program=$3
    shift 3
  elif [ $# -ge 2 ]; then
    program=${2##*/}
    shift 2
  else
    return 0
  fi
  for root in $interpreters; do
    if [ -x "$root/bin/$program" ]; then
      sed -i "1s,.*,#!$root/bin/$program${*:+ $*}," "$script"
      return 0
    fi
  done
}

fix_up() {
  find "$out" -type f | sort > "$NIX_BUILD_TOP/all"
  while read -r file; do
    magic=
    read -r -n 4 magic < "$file" || true
    case $magic in
      ?ELF)
        if [ -n "$libc" ]; then tie "$file"; fi
        ;;
      "#!"*)
        script=$file
        if [ -x "$file" ]; then settle_script "$file"; fi
        ;;
    esac
  done < "$NIX_BUILD_TOP/all"
}

# What comes after the files are in $out.
finish() {
  cd "$out"
  for patch in ${patches-}; do
    patch -p1 < "$patch"
  done
  run_hook "${postInstall-}"
  fix_up
  run_hook "${postFixup-}"
}
