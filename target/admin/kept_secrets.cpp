#include "target/admin/kept_secrets.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <set>

#include "base/digest.hpp"
#include "base/random.hpp"
#include "target/admin/state_directory.hpp"

namespace admin {

namespace fs = std::filesystem;

base::Result<std::string, std::string> keep_secret(const std::string& secret,
                                                   const std::string& directory) {
  std::error_code error;
  fs::create_directories(directory, error);
  fs::permissions(directory, fs::perms::owner_all, error);
  std::array<std::uint8_t, 8> name{};
  base::SystemRandomness().fill(name);
  const std::string path = directory + "/" + base::to_hex(name);
  if (auto kept = write_file_atomically(path, secret + "\n", 0600); !kept) {
    return base::fail(kept.error());
  }
  return path;
}

void remove_old_secrets(const Document& document, const std::string& directory) {
  std::set<std::string> named;
  const auto note = [&](const std::vector<Word>& words) {
    for (const Word& word : words) {
      const std::string pair = word.value.substr(0, word.value.rfind(",initiator="));
      named.insert(pair.substr(std::min(pair.rfind(':') + 1, pair.size())));
    }
  };
  note(document.settings);
  if (const std::string* file = value_of(document.group, "secret-file")) named.insert(*file);
  for (const TargetDocument& target : document.targets)
    note(target.options);
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(directory, error)) {
    std::error_code ignored;
    if (!named.contains(entry.path().string())) fs::remove(entry.path(), ignored);
  }
}

}  // namespace admin
