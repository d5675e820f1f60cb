#include "target/admin/array.hpp"

#include <atomic>
#include <future>

#include <fmt/format.h>
#include <unistd.h>

#include "base/clock.hpp"
#include "base/executor.hpp"
#include "base/log.hpp"
#include "base/random.hpp"
#include "store/side_files.hpp"
#include "target/admin/admin_server.hpp"
#include "target/admin/group_document.hpp"
#include "target/admin/group_keeper.hpp"
#include "target/admin/provisioner.hpp"
#include "target/admin/routes.hpp"
#include "target/admin/service_manager.hpp"
#include "target/admin/web_server.hpp"
#include "target/net/server.hpp"

namespace admin {

namespace {

const base::SystemWallClock wall_clock;

}  // namespace

// Members are destroyed from the bottom up: the server first, then targets, then what they stand
// on.
struct Array::State {
  State(const Configuration& with, StateDirectory directory,
        std::unique_ptr<TokenDatabase> token_database)
      : configuration(with),
        state_directory(std::move(directory)),
        tokens(std::move(token_database)) {}

  EventRing events{wall_clock};
  const Observation observation{events};
  const Configuration configuration;  // as it was at the start
  StateDirectory state_directory;
  base::SystemClock clock;
  base::SystemRandomness randomness;
  std::unique_ptr<ReservationDatabase> reservations;
  std::unique_ptr<UnitDatabase> unit_memory;
  const std::unique_ptr<TokenDatabase> tokens;  // null: they end with the process
  base::WorkPool pool{configuration.pool_threads};
  copymgr::Peers peers{clock, randomness, configuration.designator};
  copymgr::CopyManager copy_manager{clock, randomness, pool, configuration.copies, tokens.get()};
  std::unique_ptr<Provisioner> provisioner;  // has the targets
  net::Server server{configuration.server, clock, randomness, pool};
  GroupKeeper group{peers, copy_manager, server, pool};
  std::future<void> expiry;  // the one that the pool was given last
  History history;           // of the admin thread
  std::atomic<bool> sampling = false;
  const base::Instant started_at = clock.now();
  std::unique_ptr<AdminServer> admin_server;
  std::unique_ptr<WebServer> web_server;

  // On the pool: many tokens at once, and what they held, would keep a worker busy.
  void expire();
  void reload();
  void sample();
  base::Result<void, std::string> open_provisioner(const Start& start, SavedDocument saved);
  base::Result<void, std::string> open_admin();
  base::Result<void, std::string> open_web(const net::Endpoint& endpoint, const Api& api);
};

Array::Array() = default;

Array::~Array() {
  if (state_ == nullptr) return;
  state_->web_server.reset();    // asks the admin thread
  state_->admin_server.reset();  // nobody changes the array any more
  state_->copy_manager.leave_to_next_process();
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

void Array::State::reload() {
  admin_server->post([this] {
    const auto done = provisioner->reload();
    if (!done) {
      return base::log::error("SIGHUP: nothing changes: {}", to_text(done.error().faults));
    }
    base::log::info("SIGHUP: {} changes", done->steps.size());
    for (const std::string& warning : done->warnings)
      base::log::warning("{}", warning);
  });
}

void Array::State::sample() {
  if (sampling.exchange(true)) return;  // the admin thread is busy with a change
  admin_server->post([this] {
    history.add(sample_of(clock.now() - started_at, copy_manager, provisioner->targets()));
    sampling = false;
  });
}

base::Result<void, std::string> Array::State::open_provisioner(const Start& start,
                                                               SavedDocument saved) {
  const auto identifier = state_directory.array_identifier(randomness);
  if (!identifier) return base::fail(identifier.error());
  auto database = ReservationDatabase::open(state_directory.reservation_database());
  if (!database) return base::fail(database.error());
  reservations = std::move(*database);
  auto memory = UnitDatabase::open(state_directory.unit_database());
  if (!memory) return base::fail(memory.error());
  unit_memory = std::move(*memory);
  provisioner = std::make_unique<Provisioner>(
      ProvisionerParts{state_directory, *reservations, *unit_memory, tokens.get(), copy_manager,
                       server, randomness, pool, group},
      start, *identifier);
  auto opened = provisioner->open(std::move(saved), configuration);
  if (opened) ::unlink(state_directory.group_file().c_str());  // the document has it now
  return opened;
}

base::Result<void, std::string> Array::State::open_admin() {
  const Api api = make_api({server,
                            copy_manager,
                            provisioner->targets(),
                            clock,
                            pool,
                            {group, peers, copy_manager},
                            *provisioner,
                            events,
                            history});
  auto opened = AdminServer::open(state_directory.admin_socket(), api);
  if (!opened) return base::fail(opened.error());
  admin_server = std::move(*opened);
  if (configuration.admin_port) {
    const auto at = admin_server->listen(*configuration.admin_port, configuration.admin_token);
    if (!at) return base::fail(at.error());
    base::log::info("the admin API is at http://{}", net::to_text(*at));
  }
  return configuration.web ? open_web(*configuration.web, api) : base::Result<void, std::string>();
}

base::Result<void, std::string> Array::State::open_web(const net::Endpoint& endpoint,
                                                       const Api& api) {
  auto opened = WebServer::open(endpoint, [this, api](const std::string& target) {
    // What it asks for belongs to the admin thread.
    std::packaged_task<ApiResponse()> task([&] { return api.answer("GET", target, ""); });
    auto answer = task.get_future();
    admin_server->post([&task] { task(); });
    return answer.get();
  });
  if (!opened) return base::fail(opened.error());
  web_server = std::move(*opened);
  base::log::info("the page is at http://{}/", net::to_text(web_server->endpoint()));
  return {};
}

namespace {

// Who spoke last: the command line or its file, or what was saved.
base::Result<SavedDocument, std::string> first_document(const Start& start,
                                                        const StateDirectory& directory) {
  auto given = read_document(start);
  if (!given) return base::fail(to_text(given.error(), start.config_file));
  auto saved = load_document(directory.saved_document());
  if (!saved) return base::fail(saved.error());
  auto out = choose_document(start, std::move(*given), std::move(*saved));
  // What an earlier version kept of its group, unless something newer is said.
  auto kept = read_kept_group(directory.group_file(), directory.secrets());
  if (!kept) return base::fail(kept.error());
  if (out.document.group.empty()) out.document.group = std::move(*kept);
  return out;
}

}  // namespace

base::Result<std::unique_ptr<Array>, std::string> Array::open(const Start& start) {
  auto directory = StateDirectory::open(start.state_directory);
  if (!directory) return base::fail(directory.error());
  auto saved = first_document(start, *directory);
  if (!saved) return base::fail(saved.error());
  auto configuration = configuration_of(saved->document, base_of(start));
  if (!configuration) {
    return base::fail(to_text(configuration.error(), start.config_file));
  }
  base::log::set_level(configuration->log_level);
  base::log::set_format(configuration->log_format);
  base::log::info("revision {} of the array", saved->revision);
  base::SystemRandomness randomness;
  const auto token_key = directory->token_key(randomness);
  if (!token_key) return base::fail(token_key.error());
  configuration->copies.token_key = *token_key;
  const auto designator = directory->array_identifier(randomness);
  if (!designator) return base::fail(designator.error());
  configuration->designator = *designator;
  std::unique_ptr<TokenDatabase> tokens;
  if (configuration->token_persistence) {
    auto opened = TokenDatabase::open(directory->token_database(), wall_clock);
    if (!opened) return base::fail(opened.error());
    tokens = std::move(*opened);
  } else {
    for (const std::string& path : forget_tokens(directory->token_database()))
      store::remove_side_files(path);
  }
  std::unique_ptr<Array> array(new Array);
  array->state_ = std::make_unique<State>(*configuration, std::move(*directory), std::move(tokens));
  State& state = *array->state_;
  state.copy_manager.meet(state.peers);
  state.group.set(configuration->group);  // before tokens are restored
  if (auto ok = state.open_provisioner(start, std::move(*saved)); !ok)
    return base::fail(ok.error());
  if (auto ok = state.open_admin(); !ok) return base::fail(ok.error());
  return array;
}

base::Result<void, std::string> Array::run() {
  State& state = *state_;
  state.server.every_second([&state] {
    state.expire();
    state.sample();
  });
  state.server.on_hangup([&state] { state.reload(); });
  base::Result<void, std::string> outcome;
  state.server.run([&] {
    std::string lines;
    for (const auto& portal : state.provisioner->portals())
      lines += net::to_text(portal.endpoint) + "\n";
    const std::string& ready_file = state.configuration.ready_file;
    if (!ready_file.empty()) outcome = write_file_atomically(ready_file, lines);
    if (!outcome) state.server.stop();
    tell_service_manager("READY=1");
  });
  tell_service_manager("STOPPING=1");
  if (state.expiry.valid()) state.expiry.wait();
  if (!state.configuration.ready_file.empty()) ::unlink(state.configuration.ready_file.c_str());
  return outcome;
}

}  // namespace admin
