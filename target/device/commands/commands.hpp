// The handlers of the command table. Each gets a command whose operation code, unit, attentions,
// reserved bits and readiness have been checked and whose data-out has arrived, and finishes the
// task once.
#pragma once

namespace device {
struct Invocation;
}

namespace device::commands {

// primary.cpp
void test_unit_ready(const Invocation& call);
void request_sense(const Invocation& call);
void report_luns(const Invocation& call);
// start_stop_unit.cpp
void start_stop_unit(const Invocation& call);
void prevent_allow_medium_removal(const Invocation& call);
// inquiry.cpp
void inquiry(const Invocation& call);
// mode.cpp
void mode_sense(const Invocation& call);
void mode_select(const Invocation& call);
// persistent_reserve_in.cpp
void read_keys(const Invocation& call);
void read_reservation(const Invocation& call);
void report_capabilities(const Invocation& call);
void read_full_status(const Invocation& call);
// persistent_reserve_out.cpp
void persistent_reserve_out(const Invocation& call);
void register_and_move(const Invocation& call);
// reserve_release.cpp
void reserve_unit(const Invocation& call);
void release_unit(const Invocation& call);
// target_port_groups.cpp
void report_target_port_groups(const Invocation& call);
void set_target_port_groups(const Invocation& call);
// log.cpp
void log_sense(const Invocation& call);
void log_select(const Invocation& call);
// report_supported_operation_codes.cpp
void report_supported_operation_codes(const Invocation& call);
void report_supported_task_management_functions(const Invocation& call);
// timestamp.cpp
void report_timestamp(const Invocation& call);
void set_timestamp(const Invocation& call);
// identifying_information.cpp
void report_identifying_information(const Invocation& call);
void set_identifying_information(const Invocation& call);
// diagnostic.cpp
void send_diagnostic(const Invocation& call);
void receive_diagnostic_results(const Invocation& call);
// buffer.cpp
void read_buffer(const Invocation& call);
void write_buffer(const Invocation& call);
// media.cpp
void read(const Invocation& call);
void write(const Invocation& call);
void synchronize_cache(const Invocation& call);
void read_capacity_10(const Invocation& call);
void read_capacity_16(const Invocation& call);
// verify.cpp
void verify(const Invocation& call);
void write_and_verify(const Invocation& call);
// indivisible.cpp
void compare_and_write(const Invocation& call);
void orwrite(const Invocation& call);
void write_atomic(const Invocation& call);
// provisioning.cpp
void write_same(const Invocation& call);
void unmap(const Invocation& call);
void get_lba_status(const Invocation& call);
// unit_operations.cpp
void sanitize_overwrite(const Invocation& call);
void sanitize_erase(const Invocation& call);
void sanitize_exit_failure_mode(const Invocation& call);
void format_unit(const Invocation& call);
// media_reports.cpp
void pre_fetch(const Invocation& call);
void read_defect_data_10(const Invocation& call);
void read_defect_data_12(const Invocation& call);
// token_commands.cpp
void populate_token(const Invocation& call);
void write_using_token(const Invocation& call);
// extended_copy.cpp
void extended_copy(const Invocation& call);
// extended_copy_results.cpp
void receive_copy_status_lid1(const Invocation& call);
void receive_copy_data_lid1(const Invocation& call);
void receive_copy_operating_parameters(const Invocation& call);
void receive_copy_failure_details(const Invocation& call);
// copy_results.cpp
void receive_rod_token_information(const Invocation& call);
void report_all_rod_tokens(const Invocation& call);
void receive_copy_status(const Invocation& call);
void copy_operation_abort(const Invocation& call);

}  // namespace device::commands
