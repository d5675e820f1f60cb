// What the iSCSI engine needs around it, faked: a device server that answers as told, now or on
// demand, and a host with targets to find.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "target/device/task.hpp"
#include "target/iscsi/session.hpp"

namespace support {

// How commands with one operation code are answered.
struct Reply {
  scsi::Status status = scsi::Status::good;
  std::optional<scsi::Sense> sense;  // then CHECK CONDITION
  std::vector<std::uint8_t> data_in;
  enum class From : std::uint8_t { bytes, buffer } from = From::bytes;
  std::optional<std::uint64_t> transfer_length;  // else what data_in or the data-out says
  std::uint64_t wanted = UINT64_MAX;             // data-out bytes that the CDB wants
  bool held = false;                             // until finish_held()
};

struct SeenTask {
  std::uint64_t lun = 0;
  scsi::TaskAttribute attribute = scsi::TaskAttribute::simple;
  scsi::CdbBytes cdb{};
  std::vector<std::uint8_t> data_out;
  std::uint16_t cdb_length = 0;
};

// The rules and the record of a FakeServer; outlives it.
struct Script {
  std::map<std::uint8_t, Reply> replies;  // by operation code; others are GOOD without data
  std::vector<SeenTask> seen;
  std::deque<device::Task*> held;
  base::BufferPool* buffers = nullptr;  // for Reply::From::buffer
  device::TaskOwner* owner = nullptr;   // of the newest session
  std::vector<const device::Task*> accepted;
  std::vector<const device::Task*> stopped;
  std::vector<std::pair<device::TaskManagementFunction, std::uint64_t>> managed;
  std::deque<device::TaskServer::Managed> managing;  // to be called by the test

  const Reply& reply_to(const device::Task& task) const {
    static const Reply good;
    const auto at = replies.find(task.cdb[0]);
    return at == replies.end() ? good : at->second;
  }

  void finish(device::Task& task) {
    const Reply& reply = reply_to(task);
    if (reply.sense) return task.finish_check_condition(*reply.sense);
    if (reply.status != scsi::Status::good) return task.finish_status(reply.status);
    if (!reply.data_in.empty()) return finish_with_data(task, reply);
    task.transfer_length = base::ByteCount(reply.transfer_length.value_or(task.data_out.size()));
    task.finish_good();
  }

  // The oldest one, or the given one of them.
  void finish_held(std::size_t index = 0) {
    device::Task* task = held.at(index);
    held.erase(held.begin() + static_cast<std::ptrdiff_t>(index));
    finish(*task);
  }

 private:
  void finish_with_data(device::Task& task, const Reply& reply) {
    if (reply.from == Reply::From::bytes) return task.finish_data(reply.data_in, UINT32_MAX);
    base::Buffer buffer = buffers->take(reply.data_in.size());
    std::copy(reply.data_in.begin(), reply.data_in.end(), buffer.span().begin());
    task.finish_buffer(std::move(buffer));
  }
};

class FakeServer final : public device::TaskServer {
 public:
  explicit FakeServer(Script& script) : script_(script) {}

  base::ByteCount data_out_wanted(const device::Task& task) const override {
    return base::ByteCount(script_.reply_to(task).wanted);
  }
  void accept(device::Task& task) override { script_.accepted.push_back(&task); }
  void execute(device::Task& task) override {
    const base::ByteView arrived = task.data_out.view();
    script_.seen.push_back({task.lun_field,
                            task.attribute,
                            task.cdb,
                            {arrived.begin(), arrived.end()},
                            task.cdb_length});
    if (script_.reply_to(task).held) {
      script_.held.push_back(&task);
    } else {
      script_.finish(task);
    }
  }
  void stop(device::Task& task) override { script_.stopped.push_back(&task); }
  void manage(device::TaskManagementFunction function, std::uint64_t lun, Managed done) override {
    script_.managed.emplace_back(function, lun);
    script_.managing.push_back(std::move(done));
  }
  void set_owner(device::TaskOwner* owner) override { script_.owner = owner; }

 private:
  Script& script_;
};

inline constexpr const char* target_name = "iqn.2026-11.io.copymgr:demo";
inline constexpr const char* initiator_name = "iqn.1991-05.com.microsoft:host1";

class FakeHost final : public iscsi::Host {
 public:
  Script script;
  std::vector<iscsi::TargetView> targets{{target_name, 1}};
  std::vector<iscsi::DiscoveredTarget> discovered{{target_name, {"192.0.2.1:3260,1"}}};
  std::optional<iscsi::LoginStatus> refuse_with;
  std::optional<iscsi::LoginStatus> hide_with;  // what find_target() says
  std::uint16_t tsih = 0x1234;
  std::vector<iscsi::SessionIdentity> admitted;
  std::map<std::uint16_t, std::weak_ptr<iscsi::Session>> sessions;  // by TSIH
  std::weak_ptr<void> registration;                                 // of the newest session
  iscsi::Authentication required;
  mutable base::SystemRandomness random_source;

  base::Result<iscsi::TargetView, iscsi::LoginStatus> find_target(std::string_view name,
                                                                  std::string_view) const override {
    if (hide_with) return base::fail(*hide_with);
    for (const iscsi::TargetView& target : targets) {
      if (target.name == name) return target;
    }
    return base::fail(iscsi::LoginStatus::target_not_found);
  }
  std::vector<iscsi::DiscoveredTarget> discover(std::string_view) const override {
    return discovered;
  }
  base::Randomness& randomness() const override { return random_source; }
  const iscsi::Authentication* authentication(std::string_view) const override { return &required; }
  base::Result<iscsi::Admission, iscsi::LoginStatus> admit(
      const std::shared_ptr<iscsi::Session>& session) override {
    if (refuse_with) return base::fail(*refuse_with);
    const iscsi::SessionIdentity& identity = session->identity();
    admitted.push_back(identity);
    sessions[tsih] = session;
    iscsi::Admission out;
    out.tsih = tsih;
    if (!identity.target_name.empty()) out.server = std::make_unique<FakeServer>(script);
    out.registration = std::make_shared<int>(0);
    registration = out.registration;
    return out;
  }
  std::shared_ptr<iscsi::Session> find_session(std::uint16_t wanted) const override {
    const auto at = sessions.find(wanted);
    return at == sessions.end() ? nullptr : at->second.lock();
  }
};

}  // namespace support
