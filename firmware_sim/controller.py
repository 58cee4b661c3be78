"""A virtual Bluetooth LE controller on the radio: Bumble's, with what it leaves out put right (devices.md §3.4)."""

from __future__ import annotations

import asyncio

from bumble import controller as bumble_controller
from bumble import hci, ll
from bumble.core import PhysicalTransport

from firmware_sim.radio import Radio

ACL_BYTES = 251
"""LE data length; Bumble's 27 cuts throughput to a fifth (devices.md §3.3)."""
ACL_PACKETS = 8
"""Packets a controller takes before its host must wait: the bound of the queue in each direction of a link."""
_ADVERTISING_UNIT_S = 625e-6


class Advertiser(bumble_controller.LegacyAdvertiser):
    """Legacy advertising with its interval in the units of the specification, random delay and scan response."""

    def __init__(self, station: RadioController) -> None:
        super().__init__(station)
        self._station = station

    def start(self) -> None:
        """Advertise now and from now on."""
        self.stop()
        self.enabled = True
        self.timer_handle = asyncio.get_running_loop().call_soon(self._advertise)

    def send_advertising_data(self) -> None:
        """Send one connectable, scannable advertisement."""
        packet = ll.AdvInd(advertiser_address=self.address, data=self.advertising_data)
        self._station.radio.advertise(self._station, packet, self.scan_response_data)

    def _advertise(self) -> None:
        self.send_advertising_data()
        interval_s = self.advertising_interval_min * _ADVERTISING_UNIT_S + self._station.radio.advertising_delay_s()
        self.timer_handle = asyncio.get_running_loop().call_later(interval_s, self._advertise)


class RadioController(bumble_controller.Controller):
    """One device's controller.

    Args:
        name: for logs.
        radio: the air it is on from now until ``detach``.
        rssi_dbm: mean strength that others hear it with.
    """

    le_acl_data_packet_length = ACL_BYTES
    total_num_le_acl_data_packets = ACL_PACKETS
    supported_max_tx_octets = ACL_BYTES
    supported_max_rx_octets = ACL_BYTES
    suggested_max_tx_octets = ACL_BYTES
    # Without these features hosts use the legacy commands, the only ones that the radio models.
    le_features = bumble_controller.Controller.le_features & ~(
        hci.LeFeatureMask.LE_EXTENDED_ADVERTISING
        | hci.LeFeatureMask.LE_PERIODIC_ADVERTISING
        | hci.LeFeatureMask.LL_PRIVACY
    )

    def __init__(self, name: str, radio: Radio, *, rssi_dbm: float = -60.0) -> None:
        super().__init__(name, link=radio)
        self.radio = radio
        self.rssi_dbm = rssi_dbm
        self.le_legacy_advertiser = Advertiser(self)
        self._in_range = True
        self._host_reads = True

    @property
    def in_range(self) -> bool:
        """Whether others hear it, and it them."""
        return self._in_range

    @in_range.setter
    def in_range(self, in_range: bool) -> None:
        self._in_range = in_range
        self._update_links()

    @property
    def host_reads(self) -> bool:
        """Whether the host takes packets; while it does not, data wait at their senders and reports are dropped."""
        return self._host_reads

    @host_reads.setter
    def host_reads(self, host_reads: bool) -> None:
        self._host_reads = host_reads
        self._update_links()

    def reset(self) -> None:
        """Forget everything; the peers of its connections notice when their supervision timeout has passed."""
        self.le_legacy_advertiser.stop()
        self.le_scan_enable = False
        self.pending_le_connection = None
        for link in self.radio.links_of(self):
            link.leave(self)

    def detach(self) -> None:
        """Leave the air for good."""
        self.reset()
        self.host = None
        self.radio.remove_controller(self)

    def hear(self, sender: RadioController, packet: ll.AdvInd, scan_response: bytes) -> None:
        """Take an advertisement: report it to a scanning host, connect if the host waits for its sender."""
        if self.le_scan_enable and self._host_reads:
            event_type = hci.HCI_LE_Advertising_Report_Event.EventType
            self._report(sender, packet.advertiser_address, event_type.ADV_IND, packet.data)
            if self.le_scan_type == hci.HCI_LE_Set_Scan_Parameters_Command.ACTIVE_SCANNING:
                self._report(sender, packet.advertiser_address, event_type.SCAN_RSP, scan_response)
        pending = self.pending_le_connection
        if pending is not None and pending.peer_address == packet.advertiser_address:
            self.radio.connect(self, sender)

    def open_connection(
        self,
        role: hci.Role,
        self_address: hci.Address,
        peer_address: hci.Address,
        request: hci.HCI_LE_Create_Connection_Command,
    ) -> bumble_controller.Connection:
        """Open this end of a connection with the parameters that the central asked for, and tell the host."""
        connection = bumble_controller.Connection(
            controller=self,
            handle=self.allocate_connection_handle(),
            role=role,
            self_address=self_address,
            peer_address=peer_address,
            link=self.radio,
            transport=PhysicalTransport.LE,
            link_type=hci.HCI_Connection_Complete_Event.LinkType.ACL,
        )
        self.le_connections[peer_address] = connection
        self._complete_connection(request, hci.HCI_ErrorCode.SUCCESS, connection.handle, role, peer_address)
        return connection

    def send_hci_packet(self, packet: hci.HCI_Packet) -> None:
        """Send to the host, unless it is gone when the packet's turn comes."""
        asyncio.get_running_loop().call_soon(self._deliver, bytes(packet))

    def on_hci_acl_data_packet(self, packet: hci.HCI_AclDataPacket) -> None:
        """Data of the host; those of a connection that has just ended are dropped."""
        connection = self.find_connection_by_handle(packet.connection_handle)
        link = None if connection is None else self.radio.link_of(self, connection)
        if link is not None:
            link.send_data(self, packet)

    def on_hci_disconnect_command(self, command: hci.HCI_Disconnect_Command) -> None:
        """The host ends a connection (Vol 4 Part E 7.1.6)."""
        connection = self.find_connection_by_handle(command.connection_handle)
        link = None if connection is None else self.radio.link_of(self, connection)
        status = (
            hci.HCI_ErrorCode.UNKNOWN_CONNECTION_IDENTIFIER_ERROR if link is None else hci.HCI_COMMAND_STATUS_PENDING
        )
        self.send_hci_packet(
            hci.HCI_Command_Status_Event(status=status, num_hci_command_packets=1, command_opcode=command.op_code)
        )
        if link is not None:
            link.disconnect(self, command.reason)

    def on_hci_le_create_connection_cancel_command(
        self, _command: hci.HCI_LE_Create_Connection_Cancel_Command
    ) -> hci.HCI_StatusReturnParameters:
        """The host no longer waits for a connection (Vol 4 Part E 7.8.13)."""
        request = self.pending_le_connection
        if not isinstance(request, hci.HCI_LE_Create_Connection_Command):
            return hci.HCI_StatusReturnParameters(hci.HCI_ErrorCode.COMMAND_DISALLOWED_ERROR)
        self.pending_le_connection = None
        # The event must follow the answer to the command, which goes out when this method has returned.
        asyncio.get_running_loop().call_soon(
            self._complete_connection,
            request,
            hci.HCI_ErrorCode.UNKNOWN_CONNECTION_IDENTIFIER_ERROR,
            0,
            hci.Role.CENTRAL,
            request.peer_address,
        )
        return hci.HCI_StatusReturnParameters(hci.HCI_ErrorCode.SUCCESS)

    def on_hci_reset_command(self, _command: hci.HCI_Reset_Command) -> hci.HCI_StatusReturnParameters:
        """The host starts anew (Vol 4 Part E 7.3.2)."""
        self.reset()
        return hci.HCI_StatusReturnParameters(hci.HCI_ErrorCode.SUCCESS)

    def _deliver(self, packet: bytes) -> None:
        if self.host is not None:
            self.host.on_packet(packet)

    def _update_links(self) -> None:
        for link in self.radio.links_of(self):
            link.update()

    def _report(self, sender: RadioController, address: hci.Address, event_type: int, data: bytes) -> None:
        report = hci.HCI_LE_Advertising_Report_Event.Report(
            event_type=event_type,
            address_type=address.address_type,
            address=address,
            data=data,
            rssi=self.radio.rssi_dbm(sender),
        )
        self.send_hci_packet(hci.HCI_LE_Advertising_Report_Event([report]))

    def _complete_connection(
        self,
        request: hci.HCI_LE_Create_Connection_Command,
        status: hci.HCI_ErrorCode,
        handle: int,
        role: hci.Role,
        peer_address: hci.Address,
    ) -> None:
        self.send_hci_packet(
            hci.HCI_LE_Connection_Complete_Event(
                status=status,
                connection_handle=handle,
                role=role,
                peer_address_type=peer_address.address_type,
                peer_address=peer_address,
                connection_interval=request.connection_interval_min,
                peripheral_latency=request.max_latency,
                supervision_timeout=request.supervision_timeout,
                central_clock_accuracy=0,
            )
        )
