# cmake -DDESCRIPTION=openapi.yaml -DOUT=FILE.cpp -P embed_openapi.cmake: what GET /v1/openapi.yaml answers, as a C++ source.
include("${CMAKE_CURRENT_LIST_DIR}/embed_text.cmake")
file(READ "${DESCRIPTION}" text)
write_text_source("${text}" openapi_text target/admin/routes.hpp "${OUT}")
