// One iSCSI connection as a sans-I/O engine: bytes of the stream go in, SCSI tasks go to the device
// server, a gather list of PDUs comes out. Owns no socket, no thread and no clock. What it shares
// with the other connections of its session is in Session.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/buffer_pool.hpp"
#include "base/clock.hpp"
#include "base/unique_function.hpp"
#include "target/device/task.hpp"
#include "target/iscsi/host.hpp"
#include "target/iscsi/iscsi_task.hpp"
#include "target/iscsi/login.hpp"
#include "target/iscsi/output_queue.hpp"
#include "target/iscsi/pdu_reader.hpp"
#include "target/iscsi/session.hpp"
#include "target/iscsi/settings.hpp"

namespace iscsi {

class Connection final : private PduSink {
 public:
  Connection(const ConnectionSettings& settings, Host& host, base::BufferPool& buffers);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Bytes of the stream, in any split. Returns how many were taken: fewer than given when too much
  // output is waiting; give the rest again once output has been sent. Never fails: what is wrong
  // with the stream becomes answers, and closing().
  std::size_t receive(base::ByteView stream);
  // See PduReader.
  base::ByteSpan direct_space() const {
    return closing_ ? base::ByteSpan{} : reader_.direct_space();
  }
  void received_directly(std::size_t bytes);

  OutputQueue& output() { return output_; }
  // Sees every PDU of both directions from now on; null: nobody. It outlives the connection, or is
  // taken back.
  void observe(PduObserver* observer) {
    reader_.observe(observer);
    output_.observe(observer);
  }
  // Called when a task that ended later, outside receive(), has put its answer into output().
  void on_late_output(base::UniqueFunction<void()> call) { late_output_ = std::move(call); }
  // The connection is to be closed once the output has been sent.
  bool closing() const { return closing_; }
  // Tasks and task management that the device server still holds; the object must live until there
  // are none.
  std::size_t tasks_executing() const { return executing_ + managing_; }
  // The stream is gone: no further output matters.
  void abandon();
  // The connection is to go at once, without further output, and its session goes on or is ending.
  void drop(std::string reason);
  bool dropped() const { return dropped_; }
  // Ends the connection once what is on its way out has been sent; the same holds for its session.
  void close(std::string reason);

  // Call every second or so: login and keep-alive timeouts.
  void tick(base::Instant now);

  bool full_feature() const { return stage_ == Stage::full_feature; }
  const SessionIdentity& identity() const { return login_.identity(); }
  const std::string& close_reason() const { return close_reason_; }

  // For the session.
  std::uint16_t cid() const { return cid_; }
  const std::shared_ptr<Session>& session() const { return session_; }  // null before login
  // A request that was held and whose turn has come.
  void deliver(const HeldRequest& held);
  // The rest of the task's data that may be arriving goes nowhere.
  void stop_receiving(IscsiTask& task);
  void task_finished(IscsiTask& task);
  // TASK ABORTED status, instead of an outcome.
  void answer_aborted(IscsiTask& task);
  bool is_silent() const { return silent_; }
  // Output that did not come out of receive() has somebody send it.
  void announce_late_output();
  void send_async(AsyncEvent event, std::uint64_t lun_field,
                  const std::array<std::uint16_t, 3>& parameters,
                  std::vector<std::uint8_t> segment = {});

 private:
  enum class Stage : std::uint8_t { login, full_feature };

  base::ByteSpan pdu_begin(const Bhs& header, base::ByteView additional) override;
  void pdu_end(bool data_intact) override;
  void header_damaged() override;
  bool accepts_more() const override {
    return !closing_ && output_.bytes() < settings_.output_bytes_max;
  }

  // connection.cpp
  base::ByteSpan gather_text(std::size_t bytes);
  void login_end();
  base::ByteSpan login_begin(std::size_t length);
  Bhs login_answer(LoginStage stage) const;
  void refuse_login(LoginStatus status, std::vector<std::uint8_t> keys = {});
  LoginStatus enter_session(Bhs& answer);
  void data_damaged();
  void break_off(std::string reason);
  void reject(RejectReason reason, const Bhs& offending);
  void push_with_status(Bhs& header, std::vector<std::uint8_t> bytes = {});
  void put_window(Bhs& header) const;

  // full_feature.cpp: requests other than SCSI commands. A reason: the request is rejected and does
  // not count.
  using Refusal = std::optional<RejectReason>;
  bool accept_arrival(Session::Arrival arrival);
  void arrive(Request request);
  void deliver(const Request& request);
  Refusal handle(const Request& request);
  Refusal nop_out(const Request& request);
  Refusal text(const Request& request);
  std::optional<KeyValues> answer_text(const KeyValues& keys);
  KeyValues send_targets(const std::string& value);
  void continue_text(const Request& request);
  Refusal logout(const Request& request);
  void log_out(const Request& request);

  // task_management.cpp
  Refusal task_management(const Request& request);
  void end_task_management(std::uint32_t tag, device::TaskManagementResponse response);
  void answer_task_management(std::uint32_t tag, device::TaskManagementResponse response);
  void abort_one_task(std::uint32_t tag, const Request& request);

  // scsi_commands.cpp: commands and their data
  base::ByteSpan scsi_command_begin(base::ByteView additional);
  void scsi_command_end();
  base::ByteSpan data_out_begin();
  void data_out_end();
  void proceed(IscsiTask& task);
  void ask_for_data(IscsiTask& task);
  void fail_data_transfer(IscsiTask& task, scsi::AdditionalSense why);
  void send_data_in(IscsiTask& task, const Residual& residual);
  void send_response(IscsiTask& task, const Residual& residual);
  std::optional<RejectReason> check_command(std::uint32_t immediate_length);
  bool find_sequence();
  void take_turn(IscsiTask& task);
  std::uint32_t take_transfer_tag();

  const ConnectionSettings settings_;
  Host& host_;
  base::BufferPool& buffers_;
  Login login_;
  Stage stage_ = Stage::login;
  Parameters parameters_;
  PduReader reader_;
  OutputQueue output_;
  std::uint32_t stat_sn_ = 0;
  std::uint32_t login_cmd_sn_ = 0;
  std::uint16_t cid_ = 0;
  std::shared_ptr<Session> session_;

  // The request being received.
  Bhs request_{};
  std::vector<std::uint8_t> text_;  // its data, where it is text or ping data
  IscsiTask* receiving_ = nullptr;  // the task that its data belongs to
  DataSequence* sequence_ = nullptr;
  base::Buffer dropped_data_;  // where data of an aborted task still arrives
  bool discard_ = false;       // the request was refused or ignored when its header came

  std::size_t executing_ = 0;
  std::size_t managing_ = 0;  // task management requests that the device server works on
  std::optional<Request> waiting_logout_;  // for their answers
  std::uint32_t next_transfer_tag_ = 1;

  std::vector<std::uint8_t> text_request_;  // gathered while C is set
  std::vector<std::uint8_t> text_answer_;   // what of a long text answer is still to be sent
  std::uint32_t text_transfer_tag_ = reserved_tag;

  base::Instant last_heard_;
  base::Instant opened_at_;
  bool clock_started_ = false;
  bool heard_ = false;
  bool ping_pending_ = false;
  bool closing_ = false;
  bool silent_ = false;  // nothing more is to be sent
  bool dropped_ = false;
  std::string close_reason_;
  bool in_receive_ = false;
  base::UniqueFunction<void()> late_output_;
};

}  // namespace iscsi
