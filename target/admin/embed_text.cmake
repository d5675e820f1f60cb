# write_text_source(TEXT FUNCTION HEADER FILE): a text as a C++ source; HEADER declares
# std::string_view admin::FUNCTION().
function(write_text_source text function header file)
  # In pieces: a compiler need not take a literal of any length.
  string(LENGTH "${text}" length)
  set(literals "")
  set(at 0)
  while(at LESS length)
    string(SUBSTRING "${text}" ${at} 8000 piece)
    string(APPEND literals "  R\"copymgr_text(${piece})copymgr_text\"\n")
    math(EXPR at "${at} + 8000")
  endwhile()
  file(WRITE "${file}" "#include \"${header}\"\n
namespace admin {\n
std::string_view ${function}() {\n  static constexpr std::string_view text =\n${literals};\n  return text;\n}\n
}  // namespace admin\n")
endfunction()
