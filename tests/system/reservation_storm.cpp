// kill -9 during a storm of PERSISTENT RESERVE OUT with APTPL, again and again: every acknowledged
// registration and reservation is there after the restart, none is half-written.
#include <csignal>
#include <map>

#include <catch2/catch.hpp>
#include <sys/wait.h>

#include "scsi/persistent_reserve.hpp"
#include "tests/support/live_daemon.hpp"

namespace {

using Bytes = std::vector<std::uint8_t>;
using test::Daemon;
constexpr int sessions_max = 4;

// A registered initiator: its key as acknowledged, and the one that was on its way.
struct Registered {
  std::uint64_t acknowledged = 0;
  std::uint64_t attempted = 0;
};
struct Found {
  std::uint64_t key = 0;
  bool holds = false;
};
using Status = std::map<std::string, Found>;

Status read_full_status(host::Session& session) {
  host::Command command = host::make_command(scsi::persistent_reserve_in::read_full_status);
  Bytes data(65535);
  scsi::persistent_reserve_in::allocation_length.write(command.cdb, data.size());
  command.data_in = data;
  const host::Reply reply = host::execute(session, command);
  REQUIRE(reply.good());
  data.resize(reply.data_in_bytes);
  REQUIRE(data.size() == 8 + base::load_be32(data, 4));
  Status out;
  for (std::size_t at = 8; at < data.size();) {
    const auto id = scsi::decode_transport_id(data, at + 24, data.size());
    REQUIRE(id);
    const bool fresh =
        out.emplace(id->id.name, Found{base::load_be64(data, at), (data[at + 12] & 1) != 0}).second;
    CHECK(fresh);
    at += 24 + id->bytes;
  }
  return out;
}

// One initiator of the storm: its next command is sent when the last is answered.
class Gust {
 public:
  Gust(std::string name, std::unique_ptr<host::Session> session, std::uint64_t first_key)
      : name_(std::move(name)), session_(std::move(session)), next_key_(first_key) {}

  // REGISTER AND IGNORE EXISTING KEY with another key and APTPL.
  void send_register(Registered& record, int& answers) {
    record.attempted = next_key_++;
    send(scsi::persistent_reserve_out::register_and_ignore_existing_key, 0, record.attempted, 0x00,
         [&record, &answers, key = record.attempted] {
           record.acknowledged = key;
           ++answers;
         });
  }
  // RESERVE or PREEMPT, Write Exclusive - Registrants Only.
  void send_take(const scsi::CdbLayout& layout, std::uint64_t own_key, std::uint64_t victim,
                 base::UniqueFunction<void()> taken) {
    send(layout, own_key, victim, 0x05, std::move(taken));
  }
  bool idle() const { return idle_; }
  const std::string& name() const { return name_; }
  host::Session& session() { return *session_; }

 private:
  void send(const scsi::CdbLayout& layout, std::uint64_t key, std::uint64_t action_key,
            std::uint8_t type, base::UniqueFunction<void()> acknowledged) {
    list_.assign(24, 0);
    base::store_be64(list_, 0, key);
    base::store_be64(list_, 8, action_key);
    list_[20] = 0x01;  // APTPL
    host::Command command = host::make_command(layout);
    command.cdb[2] = type;
    command.cdb[8] = 24;
    command.data_out = list_;
    idle_ = false;
    session_->start(command,
                    [this, acknowledged = std::move(acknowledged)](host::Reply reply) mutable {
                      idle_ = true;
                      if (!reply.delivered) return;  // the daemon is dead
                      INFO(host::describe(reply));
                      CHECK(reply.good());
                      acknowledged();
                    });
  }

  const std::string name_;
  const std::unique_ptr<host::Session> session_;
  std::uint64_t next_key_;
  Bytes list_;
  bool idle_ = true;
};

// What the hosts know of the unit.
struct Model {
  std::map<std::string, Registered> registered;
  std::string holder;          // acknowledged
  std::string taking;          // has sent RESERVE or PREEMPT, not answered
  std::string preempted_last;  // by an acknowledged PREEMPT: must be gone

  // After a crash: what was found is what counts from now on.
  void check_and_adopt(const Status& found) {
    const bool taken = !taking.empty() && found.contains(taking) && found.at(taking).holds;
    if (taken && !holder.empty()) registered.erase(holder);
    if (taken) holder = taking;
    taking.clear();
    for (auto& [name, keys] : registered) {
      INFO(name << " acknowledged " << keys.acknowledged << " attempted " << keys.attempted);
      const auto at = found.find(name);
      const std::uint64_t key = at == found.end() ? 0 : at->second.key;
      CHECK((key == keys.acknowledged || key == keys.attempted));
      keys.acknowledged = keys.attempted = key;
    }
    std::erase_if(registered, [](const auto& each) { return each.second.acknowledged == 0; });
    // Nothing else, and one holder at most: the one that is known.
    for (const auto& [name, each] : found) {
      INFO(name);
      CHECK(registered.contains(name));
      CHECK(each.holds == (name == holder));
    }
  }
};

void blow(Daemon& daemon, Model& model, int round, int signal) {
  std::vector<std::unique_ptr<Gust>> gusts;
  for (int i = 0; i < sessions_max; ++i) {
    const std::string name = "iqn.storm:" + std::to_string(round) + "-" + std::to_string(i);
    const auto first_key = static_cast<std::uint64_t>(round * 1000 + i + 1) << 16;
    gusts.push_back(std::make_unique<Gust>(name, daemon.log_in(name), first_key));
    model.registered[name] = {};
  }
  int answers = 0;
  const int answers_wanted = 3 + (round * 7) % 23;
  bool took = false;
  while (answers < answers_wanted) {
    for (auto& gust : gusts) {
      if (!gust->idle()) continue;
      Registered& mine = model.registered.at(gust->name());
      const bool takes =
          !took && gust == gusts.front() && mine.acknowledged != 0 && answers >= round % 5;
      if (!takes) {
        gust->send_register(mine, answers);
        continue;
      }
      took = true;
      model.taking = gust->name();
      namespace out = scsi::persistent_reserve_out;
      const std::uint64_t victim =
          model.holder.empty() ? 0 : model.registered.at(model.holder).acknowledged;
      gust->send_take(victim == 0 ? out::reserve : out::preempt, mine.acknowledged, victim,
                      [&model, &answers] {
                        if (!model.holder.empty()) model.registered.erase(model.holder);
                        model.holder = std::exchange(model.taking, {});
                        ++answers;
                      });
    }
    host::progress(
        {&gusts[0]->session(), &gusts[1]->session(), &gusts[2]->session(), &gusts[3]->session()});
  }
  const int status = daemon.end(signal);
  CHECK((signal == SIGKILL || status == 0));
  // What was answered before the end has been heard; the rest stays unknown.
  for (int i = 0; i < 200; ++i) {
    bool all_idle = true;
    for (auto& gust : gusts) {
      if (gust->idle()) continue;
      all_idle = false;
      host::progress({&gust->session()});
    }
    if (all_idle) break;
  }
}

void weather(int rounds, int signal) {
  Daemon daemon;
  Model model;
  std::size_t seen = 0;
  for (int round = 0; round < rounds; ++round) {
    INFO("round " << round);
    daemon.start();
    {
      const auto observer = daemon.log_in("iqn.storm:observer");
      const Status found = read_full_status(*observer);
      model.check_and_adopt(found);
      seen = std::max(seen, found.size());
    }
    blow(daemon, model, round, signal);
  }
  CHECK(seen > static_cast<std::size_t>(rounds));  // there was something to lose
  CHECK_FALSE(model.holder.empty());
}

}  // namespace

TEST_CASE("kill -9 during PERSISTENT RESERVE OUT with APTPL loses nothing that was acknowledged") {
  weather(50, SIGKILL);
}

TEST_CASE("SIGTERM with commands of several workers under way ends the daemon, and loses nothing") {
  weather(20, SIGTERM);
}
