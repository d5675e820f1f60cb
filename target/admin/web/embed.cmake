# cmake -DPAGE=page.html -DOUT=FILE.cpp -P embed.cmake: the page with its style and script in it, as a C++ source.
cmake_path(GET PAGE PARENT_PATH folder)
file(READ "${PAGE}" page)
foreach(part style script)
  if(part STREQUAL "style")
    file(READ "${folder}/page.css" text)
  else()
    file(READ "${folder}/page.js" text)
  endif()
  string(REPLACE "@${part}@" "${text}" page "${page}")
endforeach()
# In pieces: a compiler need not take a literal of any length.
string(LENGTH "${page}" length)
set(literals "")
set(at 0)
while(at LESS length)
  string(SUBSTRING "${page}" ${at} 8000 piece)
  string(APPEND literals "  R\"copymgr_page(${piece})copymgr_page\"\n")
  math(EXPR at "${at} + 8000")
endwhile()
file(WRITE "${OUT}" "#include \"target/admin/web_rules.hpp\"\n
namespace admin {\n
std::string_view web_page() {\n  static constexpr std::string_view page =\n${literals};\n  return page;\n}\n
}  // namespace admin\n")
