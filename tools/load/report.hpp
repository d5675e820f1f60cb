// A measurement as rows, for the table and the JSON document.
#pragma once

#include "tools/host/report.hpp"
#include "tools/load/settings.hpp"

namespace load {

host::Rows rows_of(const Settings& settings, const Measurement& measured);

}  // namespace load
