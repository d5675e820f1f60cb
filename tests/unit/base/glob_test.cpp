#include "base/glob.hpp"

#include <string>

#include <catch2/catch.hpp>

using base::matches_glob;

TEST_CASE("globs of initiator names") {
  struct Row {
    const char *text, *glob;
    bool matches;
  };
  for (const Row& row : std::initializer_list<Row>{{"iqn.a:1", "iqn.a:1", true},
                                                   {"iqn.a:1", "iqn.a:2", false},
                                                   {"iqn.a:1", "*", true},
                                                   {"", "*", true},
                                                   {"", "", true},
                                                   {"iqn.a:1", "", false},
                                                   {"iqn.a:1", "iqn.*", true},
                                                   {"iqn.a:1", "*:1", true},
                                                   {"iqn.a:1", "*:2", false},
                                                   {"iqn.a:1", "iqn.?:1", true},
                                                   {"iqn.ab:1", "iqn.?:1", false},
                                                   {"iqn.a:1", "iqn.a:1*", true},
                                                   {"iqn.a:12", "iqn.a:1", false},
                                                   {"iqn.a:1", "iqn.a:12", false},
                                                   {"aXbXc", "a*b*c", true},
                                                   {"aXbXcX", "a*b*c", false},
                                                   {"aab", "*ab", true},
                                                   {"abab", "*ab", true},
                                                   {"iqn.a:1", "[a-z]*", false},
                                                   {"a.b", "a\\.b", false},
                                                   {"iqn.a:1", "**1", true},
                                                   {"x", "?*?", false}}) {
    INFO(row.text << " against " << row.glob);
    CHECK(matches_glob(row.text, row.glob) == row.matches);
  }
}

TEST_CASE("a glob of many stars against a long name ends soon") {
  std::string glob;
  for (int i = 0; i < 50; ++i)
    glob += "*a";
  CHECK_FALSE(matches_glob(std::string(223, 'a') + "b", glob + "c"));
}
