#include "target/admin/array.hpp"

#include <algorithm>
#include <array>
#include <future>
#include <set>

#include <fmt/format.h>
#include <unistd.h>

#include "base/clock.hpp"
#include "base/digest.hpp"
#include "base/executor.hpp"
#include "base/log.hpp"
#include "base/random.hpp"
#include "store/side_files.hpp"
#include "target/admin/admin_server.hpp"
#include "target/admin/group_keeper.hpp"
#include "target/admin/reservation_database.hpp"
#include "target/admin/routes.hpp"
#include "target/admin/state_directory.hpp"
#include "target/admin/token_database.hpp"
#include "target/admin/unit_database.hpp"
#include "target/device/target_device.hpp"
#include "target/device/unit_sizes.hpp"
#include "target/net/server.hpp"

namespace admin {

// Members are destroyed from the bottom up: the server first, then targets, then what they stand
// on.
struct Array::State {
  State(const Configuration& with, StateDirectory directory,
        std::unique_ptr<TokenDatabase> token_database)
      : configuration(with),
        state_directory(std::move(directory)),
        tokens(std::move(token_database)) {}

  const Configuration configuration;
  StateDirectory state_directory;
  base::SystemClock clock;
  base::SystemRandomness randomness;
  std::unique_ptr<ReservationDatabase> reservations;
  std::unique_ptr<UnitDatabase> unit_memory;
  const std::unique_ptr<TokenDatabase> tokens;  // null: they end with the process
  base::WorkPool pool{configuration.pool_threads};
  copymgr::Peers peers{clock, randomness, configuration.designator};
  copymgr::CopyManager copy_manager{clock, randomness, pool, configuration.copies, tokens.get()};
  std::vector<std::shared_ptr<device::TargetDevice>> targets;
  net::Server server{configuration.server, clock, randomness, pool};
  GroupKeeper group{state_directory.group_file(), peers, copy_manager, server};
  std::future<void> expiry;  // the one that the pool was given last
  std::vector<net::Endpoint> portals;
  std::unique_ptr<AdminServer> admin_server;

  // On the pool: many tokens at once, and what they held, would keep a worker busy.
  void expire();
  base::Result<void, std::string> open_targets();
  std::optional<store::Keeping> keeping(const scsi::UnitIdentity& identity);
  base::Result<void, std::string> remove_old_side_files();
  void publish_targets();
  std::vector<std::uint16_t> relative_ports(const TargetConfiguration& target) const;
  base::Result<void, std::string> restore_unit(device::LogicalUnit& unit);
  base::Result<void, std::string> open_portals();
  base::Result<void, std::string> open_admin();
};

namespace {

const base::SystemWallClock wall_clock;

}  // namespace

Array::Array() = default;

Array::~Array() {
  if (state_ != nullptr) state_->copy_manager.leave_to_next_process();
}

void Array::State::expire() {
  if (expiry.valid() && expiry.wait_for(base::Duration(0)) != std::future_status::ready) return;
  std::promise<void> done;
  expiry = done.get_future();
  pool.post([this, done = std::move(done)]() mutable {
    copy_manager.expire();
    done.set_value();
  });
}

base::Result<void, std::string> Array::State::open_targets() {
  const auto identifier = state_directory.array_identifier(randomness);
  if (!identifier) return base::fail(identifier.error());
  auto database = ReservationDatabase::open(state_directory.reservation_database());
  if (!database) return base::fail(database.error());
  reservations = std::move(*database);
  auto memory = UnitDatabase::open(state_directory.unit_database());
  if (!memory) return base::fail(memory.error());
  unit_memory = std::move(*memory);
  std::uint64_t next_unit_id = 1;
  for (const TargetConfiguration& target : configuration.targets) {
    std::map<scsi::Lun, std::shared_ptr<device::LogicalUnit>> units;
    for (const auto& [lun, configured] : target.luns) {
      const auto identity = device::make_identity(*identifier, target.name, lun);
      const auto sizes = unit_memory->load(base::to_hex(identity.naa), device::Keepsake::sizes);
      if (!sizes) return base::fail(sizes.error());
      store::StoreSpec spec = configured.store;
      spec.sizes_since = device::decode_sizes(*sizes);
      auto store =
          store::open_guarded(spec, state_directory.path(), configuration.guard, keeping(identity));
      if (!store) return base::fail(fmt::format("LUN {}: {}", lun.value, store.error()));
      base::log::info("{} LUN {}: {}, {} bytes, {}-byte blocks", target.name, lun.value,
                      (*store)->describe(), (*store)->size().value,
                      configured.shape.block_length.bytes);
      device::LogicalUnitLimits limits = configuration.limits;
      limits.copies = configured.copies;
      auto unit = std::make_shared<device::LogicalUnit>(next_unit_id++, identity, std::move(*store),
                                                        configured.shape, limits);
      if (auto restored = restore_unit(*unit); !restored) return restored;
      units.emplace(lun, std::move(unit));
    }
    targets.push_back(std::make_shared<device::TargetDevice>(
        target.name, copy_manager, std::move(units), relative_ports(target)));
  }
  if (auto removed = remove_old_side_files(); !removed) return removed;
  // Before any unit is written to: also what SANITIZE goes on with must find the tokens.
  copy_manager.restore_tokens();
  for (const auto& target : targets)
    target->resume_operations(pool);
  publish_targets();
  return {};
}

std::optional<store::Keeping> Array::State::keeping(const scsi::UnitIdentity& identity) {
  if (tokens == nullptr) return std::nullopt;
  std::array<std::uint8_t, 8> bytes{};
  randomness.fill(bytes);
  return store::Keeping{base::to_hex(identity.naa), base::load_be64(bytes, 0) >> 1};
}

// Of units that the last process served and this one does not.
base::Result<void, std::string> Array::State::remove_old_side_files() {
  if (tokens == nullptr) return {};
  std::vector<std::string> now;
  for (const auto& target : targets) {
    for (const auto& [lun, unit] : target->units()) {
      if (const std::string path = unit->guard().kept_in(); !path.empty()) now.push_back(path);
    }
  }
  const auto before = tokens->replace_side_files(now);
  if (!before) return base::fail(before.error());
  for (const std::string& path : *before) {
    if (std::find(now.begin(), now.end(), path) == now.end()) store::remove_side_files(path);
  }
  return {};
}

void Array::State::publish_targets() {
  server.directory().change([&](net::Directory& directory) {
    for (std::size_t i = 0; i < targets.size(); ++i) {
      const TargetConfiguration& target = configuration.targets[i];
      directory.targets.push_back({targets[i], target.alias, target.authentication, target.access,
                                   target.lun_maps, target.portal_groups, target.redirection,
                                   target.online});
    }
  });
}

// One target port for each portal group that reaches the target, numbered as its group.
std::vector<std::uint16_t> Array::State::relative_ports(const TargetConfiguration& target) const {
  std::set<std::uint16_t> ports;
  for (const net::Portal& portal : configuration.portals) {
    if (target.portal_groups.empty() || target.portal_groups.contains(portal.portal_group))
      ports.insert(portal.portal_group);
  }
  return {ports.begin(), ports.end()};
}

base::Result<void, std::string> Array::State::restore_unit(device::LogicalUnit& unit) {
  if (auto restored = unit.restore(*unit_memory); !restored) return restored;
  return unit.reservations().restore(*reservations, base::to_hex(unit.identity().naa));
}

base::Result<void, std::string> Array::State::open_portals() {
  server.directory().change([&](net::Directory& directory) {
    directory.discovery_authentication = configuration.discovery_authentication;
  });
  for (const net::Portal& portal : configuration.portals) {
    const auto bound = server.listen(portal);
    if (!bound) return base::fail(bound.error());
    portals.push_back(*bound);
    base::log::info("listening on {}, portal group {}", net::to_text(*bound), portal.portal_group);
  }
  return {};
}

base::Result<void, std::string> Array::State::open_admin() {
  auto opened = AdminServer::open(
      state_directory.admin_socket(),
      make_api({server, copy_manager, targets, clock, pool, {group, peers, copy_manager}}));
  if (!opened) return base::fail(opened.error());
  admin_server = std::move(*opened);
  return {};
}

base::Result<std::unique_ptr<Array>, std::string> Array::open(const Configuration& configuration) {
  auto directory = StateDirectory::open(configuration.state_directory);
  if (!directory) return base::fail(directory.error());
  base::SystemRandomness randomness;
  const auto token_key = directory->token_key(randomness);
  if (!token_key) return base::fail(token_key.error());
  Configuration completed = configuration;
  completed.copies.token_key = *token_key;
  const auto designator = directory->array_identifier(randomness);
  if (!designator) return base::fail(designator.error());
  completed.designator = *designator;
  std::unique_ptr<TokenDatabase> tokens;
  if (configuration.token_persistence) {
    auto opened = TokenDatabase::open(directory->token_database(), wall_clock);
    if (!opened) return base::fail(opened.error());
    tokens = std::move(*opened);
  } else {
    for (const std::string& path : forget_tokens(directory->token_database()))
      store::remove_side_files(path);
  }
  std::unique_ptr<Array> array(new Array);
  array->state_ = std::make_unique<State>(completed, std::move(*directory), std::move(tokens));
  State& state = *array->state_;
  state.copy_manager.meet(state.peers);
  if (auto ok = state.group.open(completed.group); !ok) return base::fail(ok.error());
  if (auto ok = state.open_targets(); !ok) return base::fail(ok.error());
  if (auto ok = state.open_portals(); !ok) return base::fail(ok.error());
  if (auto ok = state.open_admin(); !ok) return base::fail(ok.error());
  return array;
}

base::Result<void, std::string> Array::run() {
  State& state = *state_;
  state.server.every_second([&state] { state.expire(); });
  base::Result<void, std::string> outcome;
  state.server.run([&] {
    std::string lines;
    for (const net::Endpoint& portal : state.portals)
      lines += net::to_text(portal) + "\n";
    const std::string& ready_file = state.configuration.ready_file;
    if (!ready_file.empty()) outcome = write_file_atomically(ready_file, lines);
    if (!outcome) state.server.stop();
  });
  if (state.expiry.valid()) state.expiry.wait();
  if (!state.configuration.ready_file.empty()) ::unlink(state.configuration.ready_file.c_str());
  return outcome;
}

}  // namespace admin
