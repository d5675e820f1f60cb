# bash completion of copymgr: the program itself knows its verbs and options.
_copymgr() {
  mapfile -t COMPREPLY < <(compgen -W "$(copymgr --complete "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)" -- "${COMP_WORDS[COMP_CWORD]}")
}
complete -o default -F _copymgr copymgr
