#include "target/iscsi/login.hpp"

#include <algorithm>
#include <array>
#include <cctype>

#include <fmt/format.h>

#include "base/log.hpp"
#include "target/iscsi/session.hpp"

namespace iscsi {
namespace {

constexpr std::size_t login_text_bytes_max = 64 * 1024;
constexpr std::size_t login_answer_bytes_max = 8192;  // what every initiator can receive
constexpr std::size_t name_bytes_max = 223;

constexpr std::array<std::string_view, 4> name_keys{"InitiatorName", "InitiatorAlias",
                                                    "SessionType", "TargetName"};

bool is_name(const std::string& key) {
  return std::find(name_keys.begin(), name_keys.end(), key) != name_keys.end();
}

bool is_stage(std::uint64_t code) {
  return code == 0 || code == 1 || code == 3;
}

bool is_iscsi_name(std::string_view name) {
  return name.size() > 4 && name.size() <= name_bytes_max &&
         (name.starts_with("iqn.") || name.starts_with("eui.") || name.starts_with("naa."));
}

KeyValues without_names(const KeyValues& keys) {
  KeyValues out;
  std::copy_if(keys.begin(), keys.end(), std::back_inserter(out),
               [](const KeyValue& item) { return !is_name(item.key); });
  return out;
}

}  // namespace

std::string normalized_name(std::string_view name) {
  std::string out(name);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

namespace {

void note_refusal(const SessionIdentity& identity, LoginStatus status) {
  const std::string code = fmt::format("{:04x}h", static_cast<unsigned>(status));
  const auto shown = [](const std::string& name) { return name.empty() ? "(no name)" : name; };
  base::log::event(
      base::log::Level::warning, "login.refused",
      {{"initiator", identity.initiator_name}, {"target", identity.target_name}, {"status", code}},
      fmt::format("{} may not log in to {}: status {}", shown(identity.initiator_name),
                  shown(identity.target_name), code));
}

}  // namespace

LoginReply Login::fail(LoginStatus status) const {
  LoginReply reply;
  reply.status = status;
  reply.current_stage = stage_;
  const bool moved =
      status == LoginStatus::moved_temporarily || status == LoginStatus::moved_permanently;
  if (moved) reply.text = encode_text({{"TargetAddress", redirection_->address}});
  if (!moved) note_refusal(identity_, status);
  return reply;
}

LoginStatus Login::check_request(const Bhs& request) {
  if (login_pdu::version_min.read(request) > 0) return LoginStatus::unsupported_version;
  const std::uint64_t current = login_pdu::current_stage.read(request);
  const std::uint64_t next = login_pdu::next_stage.read(request);
  const bool transit = login_pdu::transit.is_set(request);
  if (!is_stage(current) || current == 3) return LoginStatus::initiator_error;
  if (transit && (!is_stage(next) || next <= current)) return LoginStatus::initiator_error;
  if (transit && login_pdu::continues.is_set(request)) return LoginStatus::initiator_error;
  const std::uint64_t isid = login_pdu::isid.read(request);
  const auto tsih = static_cast<std::uint16_t>(login_pdu::tsih.read(request));
  const auto cid = static_cast<std::uint16_t>(login_pdu::cid.read(request));
  if (!started_) {
    started_ = true;
    stage_ = static_cast<LoginStage>(current);
    identity_.isid = isid;
    tsih_ = tsih;
    cid_ = cid;
  } else if (static_cast<LoginStage>(current) != stage_ || isid != identity_.isid ||
             tsih != tsih_ || cid != cid_) {
    return LoginStatus::invalid_request_during_login;
  }
  return LoginStatus::success;
}

LoginStatus Login::take_names(const KeyValues& keys) {
  if (named_) return LoginStatus::success;
  named_ = true;
  const std::string* initiator = find_value(keys, "InitiatorName");
  if (initiator == nullptr) return LoginStatus::missing_parameter;
  identity_.initiator_name = normalized_name(*initiator);
  if (!is_iscsi_name(identity_.initiator_name)) return LoginStatus::initiator_error;
  if (const std::string* type = find_value(keys, "SessionType")) {
    if (*type != "Normal" && *type != "Discovery") return LoginStatus::session_type_not_supported;
    if (*type == "Discovery") kind_ = SessionKind::discovery;
  }
  if (discovery()) {
    authentication_ = host_.authentication({});
    return tsih_ == 0 ? LoginStatus::success : LoginStatus::session_does_not_exist;
  }
  const std::string* name = find_value(keys, "TargetName");
  if (name == nullptr) return LoginStatus::missing_parameter;
  return take_target(normalized_name(*name));
}

LoginStatus Login::take_target(std::string_view name) {
  identity_.target_name = name;  // also for the log, if there is none
  auto target = host_.find_target(name, identity_.initiator_name);
  if (!target) return target.error();
  redirection_ = target->redirection;
  if (redirection_) {
    return redirection_->permanent ? LoginStatus::moved_permanently
                                   : LoginStatus::moved_temporarily;
  }
  identity_.target_name = target->name;
  identity_.portal_group_tag = target->portal_group_tag;
  authentication_ = host_.authentication(target->name);
  untold_ = std::move(*target);
  return tsih_ == 0 ? LoginStatus::success : join_session();
}

// One more connection of a session (RFC 7143 6.3.1): what holds for the session holds for it, what
// holds for a connection is its own.
LoginStatus Login::join_session() {
  joined_ = host_.find_session(tsih_);
  if (joined_ == nullptr || joined_->identity() != identity_) {
    joined_.reset();
    return LoginStatus::session_does_not_exist;
  }
  kind_ = SessionKind::joining;
  const Parameters offer = parameters_;
  parameters_ = joined_->parameters();
  parameters_.max_recv_data_segment_length = offer.max_recv_data_segment_length;
  parameters_.peer_max_recv_data_segment_length = offer.peer_max_recv_data_segment_length;
  parameters_.digests = offer.digests;
  return joined_->may_join(cid_);
}

// A key may be offered once in a login (RFC 7143 6.3). Names may come again in a later PDU:
// libiscsi repeats its own in the operational stage.
bool Login::repeats_a_key(const KeyValues& keys) {
  std::set<std::string_view> here;
  for (const KeyValue& item : keys) {
    if (!here.insert(item.key).second) return true;
    if (!is_name(item.key) && !offered_.insert(item.key).second) return true;
  }
  return false;
}

bool Login::authenticated() const {
  return authentication_ == nullptr || !authentication_->required() || (chap_ && chap_->proven());
}

// AuthMethod: CHAP where something must be proven, else None; no other method is known.
LoginStatus Login::choose_method(std::string_view offered, KeyValues& answers) {
  const auto methods = split_list(offered);
  const std::string_view wanted = authenticated() ? "None" : "CHAP";
  if (std::find(methods.begin(), methods.end(), wanted) == methods.end()) {
    return LoginStatus::authentication_failure;
  }
  if (!authenticated() && !chap_)
    chap_.emplace(*authentication_, identity_.initiator_name, host_.randomness());
  answers.push_back({"AuthMethod", std::string(wanted)});
  return LoginStatus::success;
}

LoginStatus Login::answer_security(const KeyValues& keys, KeyValues& answers) {
  for (const KeyValue& item : without_names(keys)) {
    if (item.key == "AuthMethod") {
      if (const LoginStatus bad = choose_method(item.value, answers); bad != LoginStatus::success) {
        return bad;
      }
    } else if (item.key == "MaxRecvDataSegmentLength") {  // for any stage (RFC 7143 13.12)
      answer_operational({item}, answers);
    } else if (!chap_ || !item.key.starts_with("CHAP_")) {
      // Operational keys may be offered early; they are negotiated in their own stage.
      answers.push_back({item.key, "NotUnderstood"});
    }
  }
  return chap_ ? chap_->receive(keys, answers) : LoginStatus::success;
}

LoginStatus Login::answer_operational(const KeyValues& keys, KeyValues& answers) {
  const auto negotiated = negotiate(without_names(keys), parameters_, kind_);
  if (!negotiated) return negotiated.error();
  parameters_ = negotiated->parameters;
  answers.insert(answers.end(), negotiated->answers.begin(), negotiated->answers.end());
  return LoginStatus::success;
}

LoginReply Login::receive(const Bhs& request, base::ByteView text) {
  if (const LoginStatus bad = check_request(request); bad != LoginStatus::success) {
    return fail(bad);
  }
  text_bytes_ += text.size();
  if (text_bytes_ > login_text_bytes_max) return fail(LoginStatus::initiator_error);
  text_.insert(text_.end(), text.begin(), text.end());
  LoginReply reply;
  reply.current_stage = stage_;
  if (login_pdu::continues.is_set(request)) return reply;  // empty: it asks for the rest

  const auto keys = parse_text(text_);
  text_.clear();
  if (!keys || repeats_a_key(*keys)) return fail(LoginStatus::initiator_error);
  if (const LoginStatus bad = take_names(*keys); bad != LoginStatus::success) return fail(bad);
  KeyValues answers;
  const LoginStatus status = stage_ == LoginStage::security ? answer_security(*keys, answers)
                                                            : answer_operational(*keys, answers);
  if (status != LoginStatus::success) return fail(status);
  if (untold_) {
    if (!untold_->alias.empty()) answers.insert(answers.begin(), {"TargetAlias", untold_->alias});
    answers.insert(answers.begin(),
                   {"TargetPortalGroupTag", std::to_string(untold_->portal_group_tag)});
    untold_.reset();
  }
  reply.text = encode_text(answers);
  if (reply.text.size() > login_answer_bytes_max) return fail(LoginStatus::initiator_error);
  // Nobody leaves the security stage, or starts behind it, without proof.
  if (stage_ == LoginStage::operational && !authenticated()) {
    return fail(LoginStatus::authentication_failure);
  }
  reply.transit = login_pdu::transit.is_set(request) && authenticated();
  if (reply.transit) {
    reply.next_stage = static_cast<LoginStage>(login_pdu::next_stage.read(request));
    stage_ = reply.next_stage;
    if (reply.completes() && kind_ != SessionKind::joining) {
      parameters_ = with_defaults(parameters_, offered_);
    }
    if (reply.completes() && !discovery() && !parameters_.digests_suffice()) {
      return fail(LoginStatus::initiator_error);
    }
  }
  return reply;
}

}  // namespace iscsi
