# Writes the exported variables as JSON to $out. Runs at the end of the build of a shell's environment, in bash.
#
# $leftOut      names that are the derivation's own, between spaces
# $declared     variables that plywood.toml sets, as members of a JSON object; they hold whatever their names
# $initialPath  folders that every builder has on its PATH, between colons
# $ownPath      folders of the shell's own packages, between colons

# What a builder and its shell have of their own (Nix, src/libstore/build/local-derivation-goal.cc; nixpkgs, setup.sh).
leftOut+="CONFIG_SHELL DETERMINISTIC_BUILD GZIP_NO_TIMESTAMPS HOME HOST_PATH IN_NIX_SHELL LINENO NIX_ATTRS_JSON_FILE \
NIX_ATTRS_SH_FILE NIX_BUILD_CORES NIX_BUILD_TOP NIX_ENFORCE_NO_NATIVE NIX_ENFORCE_PURITY NIX_INDENT_MAKE NIX_LOG_FD \
NIX_REMOTE NIX_STORE NIX_SSL_CERT_FILE OLDPWD PPID PWD SHELL SHELLOPTS SHLVL SOURCE_DATE_EPOCH TEMP TEMPDIR TERM TMP \
TMPDIR TZ UID _ "
# Where the builder hides certificates.
if [ "${SSL_CERT_FILE-}" = /no-cert-file.crt ]; then unset SSL_CERT_FILE; fi

# Before PATH is the shell's, which need not have `sort`.
names=$(compgen -e | LC_ALL=C sort)

# Folders of builders are not the shell's, unless it names their packages itself.
kept=
IFS=: read -ra folders <<< "$PATH"
for folder in "${folders[@]}"; do
  case "$initialPath" in *":$folder:"*) case "$ownPath" in *":$folder:"*) ;; *) continue ;; esac ;; esac
  case ":$kept:" in *":$folder:"*) continue ;; esac
  case "$folder" in /nix/store/*) kept=$kept${kept:+:}$folder ;; esac
done
export PATH=$kept

json() {
  local text=$1 control code
  text=${text//\\/\\\\}
  text=${text//\"/\\\"}
  for control in {1..31}; do
    printf -v code '\\u%04x' "$control"
    printf -v control "\\x$(printf %x "$control")"
    text=${text//"$control"/"$code"}
  done
  printf '"%s"' "$text"
}

{
  separator='{'
  while IFS= read -r variable; do
    case "$leftOut" in *" $variable "*) continue ;; esac
    [[ $variable =~ ^[A-Za-z_][A-Za-z0-9_]*$ ]] || continue
    printf '%s\n' "$separator$(json "$variable"):$(json "${!variable}")"
    separator=,
  done <<< "$names"
  if [ -n "$declared" ]; then
    printf '%s\n' "$separator$declared"
    separator=,
  fi
  [ "$separator" = , ] || printf '{'
  printf '}\n'
} > "$out"
