# What is written in Perl is left out, and git's programs are told where its other programs and templates are, since
# Debian's places are compiled in.
rm -rf share/gitweb share/bash-completion/completions/gitk var etc lib/git-core/git-gui* share/git-core/contrib
find bin lib/git-core -type f | sort | while read -r file; do
  line=
  read -r line < "$file" || true
  case $line in "#!"*perl*) rm "$file" ;; esac
done
mkdir -p libexec
mv lib/git-core libexec/git-core
ln -s ../libexec/git-core lib/git-core
rm -f libexec/git-core/git
ln -s ../../bin/git libexec/git-core/git
mv bin/git bin/.git-wrapped
cat > bin/git << END
#!/bin/bash
export GIT_EXEC_PATH=\${GIT_EXEC_PATH:-$out/libexec/git-core}
export GIT_TEMPLATE_DIR=\${GIT_TEMPLATE_DIR:-$out/share/git-core/templates}
exec -a "\$0" $out/bin/.git-wrapped "\$@"
END
chmod +x bin/git
