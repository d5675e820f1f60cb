// The golden masks of tests/unit/scsi/layouts.hpp and tests/wire/long_cdbs_test.cpp are those of
// the commands that hosts can really send.
#include "target/device/command_table.hpp"
#include "tests/unit/device/device_world.hpp"
#include "tests/unit/scsi/layouts.hpp"

using namespace device;
using namespace device::test;

TEST_CASE("every row of the command table has a golden mask, and every golden mask a row") {
  const auto& goldens = scsi::test::every_layout();
  std::size_t short_rows = 0;
  for (const CommandRow& row : command_table()) {
    if (row.layout.has_variable_length()) continue;
    ++short_rows;
    INFO(row.layout.name);
    const auto at = std::find_if(goldens.begin(), goldens.end(), [&](const auto& golden) {
      return golden.layout.name == row.layout.name &&
             golden.layout.service_action == row.layout.service_action;
    });
    CHECK(at != goldens.end());
  }
  CHECK(short_rows == goldens.size());
}
