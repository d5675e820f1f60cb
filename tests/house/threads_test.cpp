// Tests that start threads are those that the thread sanitizer looks at: tools/check runs what is
// tagged [threads] under it, and nothing else of tests/unit.
#include <filesystem>
#include <fstream>
#include <iterator>

#include <catch2/catch.hpp>

namespace {

namespace fs = std::filesystem;

std::string text_of(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

bool starts_threads(const std::string& text) {
  for (const char* word : {"std::thread", "std::jthread", "std::async", "WorkPool"}) {
    if (text.find(word) != std::string::npos) return true;
  }
  return false;
}

}  // namespace

TEST_CASE("every file of unit tests that starts threads says so") {
  std::size_t found = 0;
  for (const auto& entry : fs::recursive_directory_iterator(COPYMGR_SOURCE_DIR "/tests/unit")) {
    if (entry.path().extension() != ".cpp") continue;
    const std::string text = text_of(entry.path());
    if (!starts_threads(text)) continue;
    // What stands in for a target there is a thread; the room has none.
    if (entry.path().parent_path().filename() == "host") continue;
    ++found;
    INFO(entry.path());
    CHECK(text.find("\"[threads]") != std::string::npos);
  }
  CHECK(found > 10);
}
