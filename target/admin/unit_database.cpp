#include "target/admin/unit_database.hpp"

#include <charconv>

#include <fmt/format.h>

#include "base/digest.hpp"

namespace admin {
namespace {

using base::fail;

// `what` is the number of the Keepsake, `value` its bytes in hexadecimal.
constexpr const char* schema = R"(
  CREATE TABLE IF NOT EXISTS kept (
    unit TEXT NOT NULL,
    what INTEGER NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (unit, what)
  );
)";

// Nullopt for what is not hexadecimal.
std::optional<std::vector<std::uint8_t>> from_hex(const std::string& text) {
  std::vector<std::uint8_t> out(text.size() / 2);
  for (std::size_t i = 0; i < out.size(); ++i) {
    const char* const at = text.data() + 2 * i;
    if (std::from_chars(at, at + 2, out[i], 16).ptr != at + 2) return std::nullopt;
  }
  if (text.size() % 2 != 0) return std::nullopt;
  return out;
}

}  // namespace

base::Result<std::unique_ptr<UnitDatabase>, std::string> UnitDatabase::open(
    const std::string& path) {
  auto database = base::Database::open(path);
  if (!database) return fail(database.error());
  if (const auto made = database->run(schema); !made) {
    return fail(fmt::format("cannot use {}: {}", path, made.error()));
  }
  return std::unique_ptr<UnitDatabase>(new UnitDatabase(std::move(*database)));
}

base::Result<void, std::string> UnitDatabase::save(const std::string& unit, device::Keepsake what,
                                                   base::ByteView value) {
  const std::scoped_lock lock(mutex_);
  auto transaction = base::Transaction::begin(database_);
  if (!transaction) return fail(transaction.error());
  {
    auto put = database_.prepare("INSERT OR REPLACE INTO kept VALUES (?, ?, ?)");
    if (!put) return fail(put.error());
    put->bind(1, unit).bind(2, static_cast<std::int64_t>(what)).bind(3, base::to_hex(value));
    if (const auto done = put->step(); !done) return fail(done.error());
  }
  return transaction->commit();
}

base::Result<std::vector<std::uint8_t>, std::string> UnitDatabase::load(const std::string& unit,
                                                                        device::Keepsake what) {
  const std::scoped_lock lock(mutex_);
  auto find = database_.prepare("SELECT value FROM kept WHERE unit = ? AND what = ?");
  if (!find) return fail(find.error());
  const auto row = find->bind(1, unit).bind(2, static_cast<std::int64_t>(what)).step();
  if (!row) return fail(row.error());
  if (!*row) return std::vector<std::uint8_t>();
  auto value = from_hex(find->text(0));
  if (!value) return fail(fmt::format("what unit {} keeps makes no sense", unit));
  return std::move(*value);
}

base::Result<void, std::string> UnitDatabase::forget(const std::string& unit) {
  const std::scoped_lock lock(mutex_);
  auto remove = database_.prepare("DELETE FROM kept WHERE unit = ?");
  if (!remove) return fail(remove.error());
  if (const auto done = remove->bind(1, unit).step(); !done) return fail(done.error());
  return {};
}

}  // namespace admin
