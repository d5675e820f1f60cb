// Several connections in one session (RFC 7143 4.2.2, 4.2.3.2, 6.3.4, 11.14).
#include "tests/hostile/case.hpp"

namespace hostile {
namespace {

const Items two_allowed{"MaxConnections=2"};

// A session of the same initiator, on a connection of its own.
Client& first_connection(Client& c, const Items& more = two_allowed) {
  c.companions.push_back(std::make_shared<Client>(c.portal, ""));
  Client& first = *c.companions.back();
  first.initiator_name = c.initiator_name;
  first.log_in(more);
  return first;
}

// The login with which `c` joins that session.
Pdu joining(Client& c, const Client& first, std::uint16_t cid) {
  c.cmd_sn = first.cmd_sn;
  return c.login(straight).set(14, 2, first.tsih).set(20, 2, cid);
}

// A Login Request that joins, but for one thing.
auto joins(std::function<Pdu(Client&, Pdu)> bend, Items more = two_allowed) {
  return [=](Client& c) {
    const Client& first = first_connection(c, more);
    c.send(bend(c, joining(c, first, 2)));
  };
}

// Joined: `c` is the second connection.
auto joined(std::function<void(Client&, Client& first)> send) {
  return [=](Client& c) {
    Client& first = first_connection(c);
    c.ask(joining(c, first, 2));
    send(c, first);
  };
}

Pdu as_it_is(Client&, Pdu pdu) {
  return pdu;
}

void third_connection(Client& c) {
  Client& first = first_connection(c);
  c.companions.push_back(std::make_shared<Client>(c.portal, ""));
  Client& second = *c.companions.back();
  second.initiator_name = c.initiator_name;
  second.ask(joining(second, first, 2));
  c.send(joining(c, first, 3));
}

void same_connection(Client& c) {
  Client& first = first_connection(c);
  c.send(joining(c, first, 1));
  if (first.next()) throw std::runtime_error("the old connection got an answer");
}

// All numbers but the one that is due.
void all_but_one(Client& c, Client&) {
  ++c.cmd_sn;
  for (int i = 0; i < 250; ++i)
    c.send(c.test_unit_ready());
}

void early_then_end(Client& c, Client& first) {
  ++c.cmd_sn;
  c.send(c.test_unit_ready());
  first.half_close();
}

void early_twice(Client& c, Client& first) {
  ++c.cmd_sn;
  const Pdu early = c.test_unit_ready();
  c.send(early);
  c.send(early.header[16] == 0 ? Pdu(early).set(16, 4, 0x01020304) : early);
  first.send(first.test_unit_ready());
}

}  // namespace

Cases join_cases() {
  // clang-format off
  return {
      {"a second connection where one is allowed", joins(as_it_is, {}), "Login 0206, dropped"},
      {"a third connection where two are allowed", third_connection, "Login 0206, dropped"},
      {"joining with another ISID", joins([](Client&, Pdu pdu) { return pdu.set(8, 6, 0x400001370009); }), "Login 020a, dropped"},
      {"joining under another name", [](Client& c) {
         const Client& first = first_connection(c);
         c.initiator_name += "-other";
         c.send(joining(c, first, 2));
       }, "Login 020a, dropped"},
      {"joining for another target", [](Client& c) {
         const Client& first = first_connection(c);
         c.send(c.login(straight, {}, reset_victim).set(14, 2, first.tsih).set(20, 2, 2));
       }, "Login 020a, dropped"},
      {"joining for discovery", [](Client& c) {
         const Client& first = first_connection(c);
         c.send(support::login_request(straight, {"InitiatorName=" + c.initiator_name, "SessionType=Discovery"}).set(14, 2, first.tsih).set(20, 2, 2));
       }, "Login 020a, dropped"},
      {"the connection that lives already", same_connection, "Login 0000, alive"},
      {"data on another connection than its command", joined([](Client& c, Client& first) {
         c.send(Client::data_for(first.start_write(0, 1), pattern(512)));
       }), "alive"},
      {"a tag that the other connection uses", joined([](Client& c, Client& first) {
         const Pdu r2t = first.start_write(0, 1);
         c.cmd_sn = first.cmd_sn;
         c.send(c.test_unit_ready().set(16, 4, r2t.task_tag()));
       }), "Reject 07, alive"},
      {"all numbers but the one that is due", joined(all_but_one), "alive"},
      {"a number too early, then the other connection ends", joined(early_then_end), "dropped"},
      {"a number too early, twice", joined(early_twice), "Status 00, alive"},
      {"the other connection ends", joined([](Client&, Client& first) { first.half_close(); }), "dropped"},
      {"logout of the other connection", joined([](Client& c, Client&) { c.send(c.logout(1, 1)); }), "Logout 0, alive"},
      {"logout of the session", joined([](Client& c, Client&) { c.send(c.logout(0)); }), "Logout 0, dropped"},
  };
  // clang-format on
}

}  // namespace hostile
