// A session: what its connections share - the numbers of commands, the tasks, the way to the device
// server. All of its connections live on one thread.
//
// At error recovery level 0 a connection that fails takes its session with it (RFC 7143 7.14); one
// that logs out leaves the others alone.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/buffer_pool.hpp"
#include "target/device/task.hpp"
#include "target/iscsi/host.hpp"
#include "target/iscsi/iscsi_task.hpp"
#include "target/iscsi/serial.hpp"
#include "target/iscsi/settings.hpp"

namespace iscsi {

class Connection;

// A request whose data is text or ping data.
struct Request {
  Bhs header{};
  std::vector<std::uint8_t> text;
};

// A numbered request that came before its turn: a command number before it is still missing.
struct HeldRequest {
  std::uint32_t cmd_sn = 0;
  Connection* connection = nullptr;  // null: the number was used up by an abort
  IscsiTask* task = nullptr;         // a SCSI command; otherwise `request`
  Request request;

  bool counts() const { return connection == nullptr || task != nullptr || !is_immediate(); }
  bool is_immediate() const { return bhs::immediate.is_set(request.header); }
};

class Session final : public std::enable_shared_from_this<Session>, private device::TaskOwner {
 public:
  Session(const ConnectionSettings& settings, SessionIdentity identity,
          const Parameters& parameters, std::uint32_t first_cmd_sn);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  // Once, before the first request.
  void open(Admission admission);
  const SessionIdentity& identity() const { return identity_; }
  const Parameters& parameters() const { return parameters_; }
  std::uint16_t tsih() const { return admission_.tsih; }
  device::TaskServer* server() { return admission_.server.get(); }  // null in discovery
  CommandWindow& window() { return window_; }
  const CommandWindow& window() const { return window_; }

  // Connections. Success: one with this CID may join, in place of an older one with the same CID.
  LoginStatus may_join(std::uint16_t cid) const;
  void join(Connection& connection);
  // The connection's tasks end unanswered; those that wait for data are gone at once.
  void leave(Connection& connection);
  // The connection has failed, and so has the session.
  void fail(const Connection& connection);
  Connection* find_connection(std::uint16_t cid) const;
  std::size_t connections() const { return connections_.size(); }
  // Ends every connection after what is already on its way out.
  void close(const std::string& reason);
  // Ends every connection at once: a newer session has taken the place of this one.
  void end();
  bool ended() const { return ended_; }

  // Asks the initiator to log out within `grace`; then the connections are dropped (RFC 7143 11.9).
  void request_logout(base::Duration grace);
  // An asynchronous message with sense (event 0).
  void report_event(std::uint64_t lun_field, const scsi::Sense& sense) override;
  void tick(base::Instant now);

  // Command numbers.
  enum class Arrival : std::uint8_t { in_order, early, ignored, skipped };
  Arrival judge(const Bhs& request) const;
  // Those that count lie within the command window; the others are for the caller to bound.
  void hold(HeldRequest request);
  std::size_t held_immediate() const;
  // The request with this number was rejected, which leaves a gap for the initiator to fill (RFC
  // 7143 11.17).
  void expect_gap() { gap_ = window_.expected(); }
  // The number counts as received though its command never comes.
  void plug(std::uint32_t cmd_sn);
  // Delivers what was held and is next now.
  void release_held();

  // Tasks, by their tags; their data is accounted for here.
  IscsiTask& take_task(Connection& connection);
  void release_task(IscsiTask& task);
  IscsiTask* find_task(std::uint32_t initiator_task_tag);
  std::size_t active_tasks() const { return active_.size(); }
  void reserve_data_out(IscsiTask& task, base::BufferPool& buffers);
  void forget_data_out(base::ByteCount bytes) { write_buffer_bytes_ -= bytes.value; }
  void abort(const std::vector<IscsiTask*>& tasks, bool is_told,
             base::UniqueFunction<void(std::size_t)> done);
  static void end_abort(AbortGroup& group);

 private:
  void task_finished(device::Task& task) override;
  void abort_tasks(const device::TaskAbort& which,
                   base::UniqueFunction<void(std::size_t)> done) override;
  void drop_connection() override;
  bool tolerates_gaps() const;
  void withdraw(const IscsiTask& task);

  const ConnectionSettings settings_;
  const SessionIdentity identity_;
  const Parameters parameters_;
  CommandWindow window_;
  Admission admission_;
  std::vector<Connection*> connections_;
  bool ended_ = false;

  std::vector<HeldRequest> held_;  // by number
  std::optional<std::uint32_t> gap_;
  bool releasing_ = false;  // release_held() is at work, or must wait

  std::vector<std::unique_ptr<IscsiTask>> tasks_;  // all that exist
  std::vector<IscsiTask*> idle_;
  std::vector<IscsiTask*> active_;
  std::size_t write_buffer_bytes_ = 0;

  std::optional<base::Duration> logout_grace_;  // asked for, clock not yet seen
  std::optional<base::Instant> logout_deadline_;
};

}  // namespace iscsi
