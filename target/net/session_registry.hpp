// The sessions of the process: their TSIHs, and which of them an equal login replaces. Touched at
// login and logout only.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <tuple>

#include "base/unique_function.hpp"
#include "target/iscsi/host.hpp"

namespace net {

class SessionRegistry {
 public:
  // What a session holds while it lives.
  struct Entry {
    std::uint64_t number = 0;  // unique in this process; the nexus number
    std::uint16_t tsih = 0;
  };

  // Registers a session; an older one of the same identity is told to go (`drop` of its entry runs,
  // inside this call, and must not wait). Null when all TSIHs are taken. Destroying the entry takes
  // it out. The registry must outlive its entries.
  std::shared_ptr<Entry> add(const iscsi::SessionIdentity& identity,
                             base::UniqueFunction<void()> drop);
  std::size_t size() const;

 private:
  using Name = std::tuple<std::string, std::uint64_t, std::string>;
  struct Live {
    std::uint64_t number = 0;
    base::UniqueFunction<void()> drop;
  };
  void remove(const Name& name, const Entry& entry);

  mutable std::mutex mutex_;
  std::map<Name, Live> live_;
  std::set<std::uint16_t> tsihs_;
  std::uint16_t last_tsih_ = 0;
  std::uint64_t last_number_ = 0;
};

}  // namespace net
