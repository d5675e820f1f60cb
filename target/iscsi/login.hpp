// The login phase as a state machine over PDUs: stages, key negotiation over several PDUs, statuses
// (RFC 7143 clause 6.3; Windows' needs: windows-host E.1, R14-R16). Authentication is None or CHAP.
#pragma once

#include <optional>
#include <set>
#include <string>

#include "target/iscsi/chap.hpp"
#include "target/iscsi/host.hpp"
#include "target/iscsi/negotiation.hpp"
#include "target/iscsi/pdu.hpp"
#include "target/iscsi/text.hpp"

namespace iscsi {

enum class LoginStage : std::uint8_t { security = 0, operational = 1, full_feature = 3 };

struct LoginReply {
  LoginStatus status = LoginStatus::success;
  bool transit = false;
  LoginStage current_stage = LoginStage::security;
  LoginStage next_stage = LoginStage::security;
  std::vector<std::uint8_t> text;

  bool completes() const { return transit && next_stage == LoginStage::full_feature; }
};

// iSCSI names compare without regard to case (RFC 7143 4.2.7.2): all in lower case.
std::string normalized_name(std::string_view name);

class Login {
 public:
  Login(const Host& host, const Parameters& offer) : host_(host), parameters_(offer) {}

  // One Login Request with its text. After a status other than success, or completion, nothing may
  // follow.
  LoginReply receive(const Bhs& request, base::ByteView text);

  // A request has been seen.
  bool started() const { return started_; }
  LoginStage stage() const { return stage_; }
  // Valid once completed.
  const Parameters& parameters() const { return parameters_; }
  const SessionIdentity& identity() const { return identity_; }
  bool discovery() const { return kind_ == SessionKind::discovery; }
  SessionKind kind() const { return kind_; }
  // The session that the connection wants to join; null otherwise.
  const std::shared_ptr<Session>& joins() const { return joined_; }

 private:
  LoginStatus check_request(const Bhs& request);
  LoginStatus take_names(const KeyValues& keys);
  LoginStatus take_target(std::string_view name);
  LoginStatus join_session();
  bool repeats_a_key(const KeyValues& keys);
  LoginStatus answer_security(const KeyValues& keys, KeyValues& answers);
  LoginStatus choose_method(std::string_view offered, KeyValues& answers);
  bool authenticated() const;
  LoginStatus answer_operational(const KeyValues& keys, KeyValues& answers);
  LoginReply fail(LoginStatus status) const;

  const Host& host_;
  Parameters parameters_;
  SessionIdentity identity_;
  SessionKind kind_ = SessionKind::leading;
  std::uint16_t tsih_ = 0, cid_ = 0;
  std::shared_ptr<Session> joined_;
  bool started_ = false;  // the first request has been seen
  bool named_ = false;    // its names have been read
  LoginStage stage_ = LoginStage::security;
  const Authentication* authentication_ = nullptr;  // what must be proven; null: nothing
  std::optional<ChapExchange> chap_;
  std::optional<TargetView> untold_;  // the target, until the first answer (R14)
  std::optional<Redirection> redirection_;
  std::vector<std::uint8_t> text_;  // gathered while C is set
  std::size_t text_bytes_ = 0;      // of the whole login so far
  std::set<std::string> offered_;   // every key but names
};

}  // namespace iscsi
