// The script for each shell: it asks this program for the words that may come next, and has no other knowledge.
//
// Bash takes "projects@be" for three words and "quota=" for two, by COMP_WORDBREAKS, and puts a candidate in place of the
// last of them. So its script splits the line itself, and cuts off what stands already.

export const COMPLETION_SCRIPTS: ReadonlyMap<string, string> = new Map([
  [
    'bash',
    `_cairn() {
  local line=\${COMP_LINE:0:COMP_POINT} breaks=\${COMP_WORDBREAKS//[^=:@]/} words word prefix candidate
  read -ra words <<< "$line"
  [[ $line == *[[:space:]] ]] && words+=('')
  word=\${words[\${#words[@]}-1]}
  [[ $breaks ]] && prefix=\${word%"\${word##*[$breaks]}"}
  COMPREPLY=()
  while IFS= read -r candidate; do
    COMPREPLY+=("\${candidate#"$prefix"}")
  done < <(cairn complete -- "\${words[@]:1}" 2>/dev/null)
  if [[ \${#COMPREPLY[@]} == 1 && \${COMPREPLY[0]} == *[=:@] ]]; then compopt -o nospace 2>/dev/null; fi
}
complete -o default -F _cairn cairn
`,
  ],
  [
    'zsh',
    `#compdef cairn
_cairn() {
  local -a candidates begun
  candidates=(\${(f)"$(cairn complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)"})
  begun=(\${(M)candidates:#*[=:@]})
  candidates=(\${candidates:#*[=:@]})
  compadd -S '' -a begun
  compadd -a candidates || (( $#begun )) || _files
}
compdef _cairn cairn
`,
  ],
  [
    'fish',
    `function __cairn_complete
  set -l words (commandline -opc) (commandline -ct)
  cairn complete -- $words[2..-1] 2>/dev/null
end
complete -c cairn -a '(__cairn_complete)'
`,
  ],
]);
