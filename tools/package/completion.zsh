#compdef copymgr
# zsh completion of copymgr: the program itself knows its verbs and options.
compadd -- ${(f)"$(copymgr --complete ${words[2,CURRENT]} 2>/dev/null)"} || _files
