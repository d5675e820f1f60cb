// The state directory: what must survive a restart. It is locked, so that no two daemons share it.
#pragma once

#include <array>
#include <string>

#include "base/random.hpp"
#include "base/result.hpp"
#include "tokens/token_seal.hpp"

namespace admin {

using ArrayIdentifier = std::array<std::uint8_t, 16>;

class StateDirectory {
 public:
  // Opens `path`, making it if need be; an empty path makes a private one that goes away with this
  // object. The error is one line for a person.
  static base::Result<StateDirectory, std::string> open(const std::string& path);
  StateDirectory(StateDirectory&& other) noexcept;
  StateDirectory& operator=(StateDirectory&&) = delete;
  ~StateDirectory();

  const std::string& path() const { return path_; }
  std::string admin_socket() const { return path_ + "/admin.socket"; }
  std::string reservation_database() const { return path_ + "/reservations.db"; }
  std::string unit_database() const { return path_ + "/units.db"; }
  // Where earlier versions kept the copy manager group; it holds its secret.
  std::string group_file() const { return path_ + "/group.json"; }
  // Secrets that came by the admin API, a file each.
  std::string secrets() const { return path_ + "/secrets"; }
  std::string token_database() const { return path_ + "/tokens.db"; }
  std::string saved_document() const { return path_ + "/array.toml"; }
  // The array's own identifier: made at random once, the same ever after.
  base::Result<ArrayIdentifier, std::string> array_identifier(base::Randomness& randomness) const;
  // The secret that the array seals its tokens with: made once, readable by this user only.
  base::Result<tokens::TokenKey, std::string> token_key(base::Randomness& randomness) const;

 private:
  StateDirectory(std::string path, int lock, bool temporary)
      : path_(std::move(path)), lock_(lock), temporary_(temporary) {}

  std::string path_;
  int lock_ = -1;
  bool temporary_ = false;
};

// Writes `text` to `path` whole or not at all: a reader never sees half of it.
base::Result<void, std::string> write_file_atomically(const std::string& path,
                                                      std::string_view text, unsigned mode = 0644);

}  // namespace admin
