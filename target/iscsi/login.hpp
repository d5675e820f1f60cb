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

class Login {
 public:
  Login(const Host& host, const Parameters& offer) : host_(host), parameters_(offer) {}

  // One Login Request with its text. After a status other than success, or completion, nothing may
  // follow.
  LoginReply receive(const Bhs& request, base::ByteView text);

  // Valid once completed.
  const Parameters& parameters() const { return parameters_; }
  const SessionIdentity& identity() const { return identity_; }
  bool discovery() const { return discovery_; }

 private:
  LoginStatus check_request(const Bhs& request);
  LoginStatus take_names(const KeyValues& keys);
  bool repeats_a_key(const KeyValues& keys);
  LoginStatus answer_security(const KeyValues& keys, KeyValues& answers);
  LoginStatus choose_method(std::string_view offered, KeyValues& answers);
  bool authenticated() const;
  LoginStatus answer_operational(const KeyValues& keys, KeyValues& answers);
  LoginReply fail(LoginStatus status);

  const Host& host_;
  Parameters parameters_;
  SessionIdentity identity_;
  bool discovery_ = false;
  bool started_ = false;  // the first request has been seen
  bool named_ = false;    // its names have been read
  LoginStage stage_ = LoginStage::security;
  const Authentication* authentication_ = nullptr;  // what must be proven; null: nothing
  std::optional<ChapExchange> chap_;
  std::optional<std::uint16_t> portal_group_tag_;  // still to be told (R14)
  std::vector<std::uint8_t> text_;                 // gathered while C is set
  std::size_t text_bytes_ = 0;                     // of the whole login so far
  std::set<std::string> offered_;                  // every key but names
};

}  // namespace iscsi
