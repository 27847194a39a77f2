# A program for every console script that the wheel declares (the entry points specification of Python packaging).
site=$(echo "$out"/lib/python*/site-packages)
awk '/^\[/ { wanted = ($0 == "[console_scripts]"); next } wanted && /=/ { gsub(/[ \t]/, ""); sub(/\[.*/, ""); print }' \
  "$site"/*.dist-info/entry_points.txt 2> /dev/null > "$NIX_BUILD_TOP/entries" || true
while IFS== read -r name place; do
  mkdir -p bin
  {
    echo "#!$interpreter/bin/python3"
    echo "import site, sys"
    for path in "$site" $paths; do echo "site.addsitedir('$path')"; done
    echo "from ${place%%:*} import ${place#*:} as main"
    echo "sys.exit(main())"
  } > "bin/$name"
  chmod +x "bin/$name"
done < "$NIX_BUILD_TOP/entries"
