"""The air between virtual controllers: range, supervision timeout, retransmission, signal strength.

Bumble's controllers speak HCI; its link hands every packet over at once and never loses a peer. This
module overrides what a gateway must survive (devices.md §3.4): a device that goes out of range is noticed
only after the supervision timeout, a pending connection can be cancelled, data are acknowledged to the sender's
host when they arrived and not when they were queued. Connection events and air time are not modelled.
"""

from __future__ import annotations

import asyncio
import random
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, cast

from bumble import controller as bumble_controller
from bumble import hci, ll
from bumble.link import LocalLink

if TYPE_CHECKING:
    from firmware_sim.controller import RadioController

_RSSI_NOISE_DB = 2.0
_ADVERTISING_DELAY_S = 0.01
"""Random delay after each advertising event (Core Specification Vol 6 Part B 4.4.2.2.1)."""
_INTERVAL_UNIT_S = 1.25e-3
_TIMEOUT_UNIT_S = 10e-3


class Radio(LocalLink):
    """Air shared by controllers in one process.

    Args:
        seed: makes loss, signal strength and advertising delays repeatable.
        loss: probability that a data packet must be sent again, once per connection interval, until it arrives.
    """

    def __init__(self, *, seed: int = 0, loss: float = 0.0) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # Bumble does not annotate it
        if not 0 <= loss < 1:
            raise ValueError(f"loss {loss} is outside 0..1")
        self._loss = loss
        # Not NumPy: a gateway process on the virtual radio need not load it. S311: nothing here is secret.
        self._rng = random.Random(seed)  # noqa: S311
        self._stations: list[RadioController] = []
        self._links: list[AirLink] = []

    def add_controller(self, controller: bumble_controller.Controller) -> None:
        """Put a controller on the air; the order is kept, so that a run can be repeated."""
        super().add_controller(controller)
        self._stations.append(cast("RadioController", controller))

    def remove_controller(self, controller: bumble_controller.Controller) -> None:
        """Take a controller off the air; its peers notice when their supervision timeout has passed."""
        super().remove_controller(controller)
        self._stations.remove(cast("RadioController", controller))

    def advertising_delay_s(self) -> float:
        """Random part of an advertising interval."""
        return self._rng.uniform(0, _ADVERTISING_DELAY_S)

    def retransmission_delay_s(self, interval_s: float) -> float:
        """Time that the next data packet is late because it was lost and sent again."""
        lost = 0
        while self._rng.random() < self._loss:
            lost += 1
        return lost * interval_s

    def rssi_dbm(self, sender: RadioController) -> int:
        """Signal strength of one packet of a sender."""
        return max(-127, min(20, round(self._rng.gauss(sender.rssi_dbm, _RSSI_NOISE_DB))))

    def advertise(self, sender: RadioController, packet: ll.AdvInd, scan_response: bytes) -> None:
        """Carry one advertising event to everybody in range."""
        if sender.in_range:
            loop = asyncio.get_running_loop()
            for station in self._stations:
                if station is not sender and station.in_range:
                    loop.call_soon(station.hear, sender, packet, scan_response)

    def connect(self, central: RadioController, peripheral: RadioController) -> None:
        """Connect a central that waits for this peripheral, if it still advertises."""
        request = central.pending_le_connection
        advertiser = peripheral.le_legacy_advertiser
        if request is None or not advertiser.enabled or not peripheral.in_range:
            return
        assert isinstance(request, hci.HCI_LE_Create_Connection_Command)
        central.pending_le_connection = None
        own_address = (
            central.public_address if request.own_address_type == hci.OwnAddressType.PUBLIC else central.random_address
        )
        link = AirLink(
            self,
            interval_s=request.connection_interval_min * _INTERVAL_UNIT_S,
            timeout_s=request.supervision_timeout * _TIMEOUT_UNIT_S,
        )
        self._links.append(link)
        link.join(central, central.open_connection(hci.Role.CENTRAL, own_address, advertiser.address, request))
        link.join(peripheral, peripheral.open_connection(hci.Role.PERIPHERAL, advertiser.address, own_address, request))
        advertiser.stop()

    def send_ll_control_pdu(
        self, sender_address: hci.Address, receiver_address: hci.Address, packet: ll.ControlPdu
    ) -> None:
        """Carry a control packet of the link layer in order with the data of its link."""
        for link in self._links:
            for sender, connection in link.ends.items():
                if connection.self_address == sender_address and connection.peer_address == receiver_address:
                    link.send_control(sender, packet)
                    return

    def link_of(self, controller: RadioController, connection: bumble_controller.Connection) -> AirLink | None:
        """Link that a controller's connection is an end of."""
        return next((link for link in self._links if link.ends.get(controller) is connection), None)

    def links_of(self, controller: RadioController) -> tuple[AirLink, ...]:
        """Links that a controller is an end of."""
        return tuple(link for link in self._links if controller in link.ends)

    def forget(self, link: AirLink) -> None:
        """Drop a link that both ends have closed."""
        self._links.remove(link)


class AirLink:
    """One LE connection: its open ends, and what is on its way to each of them."""

    def __init__(self, radio: Radio, *, interval_s: float, timeout_s: float) -> None:
        self._radio = radio
        self._interval_s = interval_s
        self._timeout_s = timeout_s
        self._silence: asyncio.TimerHandle | None = None
        self._waiting: dict[RadioController, deque[Callable[[], None]]] = {}
        self._arrivals: dict[RadioController, asyncio.Handle] = {}
        self.ends: dict[RadioController, bumble_controller.Connection] = {}

    def join(self, controller: RadioController, connection: bumble_controller.Connection) -> None:
        """Attach one of the two ends."""
        self.ends[controller] = connection
        self._waiting[controller] = deque()

    def send_data(self, sender: RadioController, packet: hci.HCI_AclDataPacket) -> None:
        """Carry data of a host; its credit comes back when they arrived."""
        receiver = self._peer(sender)
        if receiver is None:
            return

        def arrive() -> None:
            first = packet.pb_flag == hci.HCI_ACL_PB_FIRST_NON_FLUSHABLE
            receiver.send_hci_packet(
                hci.HCI_AclDataPacket(
                    connection_handle=self.ends[receiver].handle,
                    pb_flag=hci.HCI_ACL_PB_FIRST_FLUSHABLE if first else hci.HCI_ACL_PB_CONTINUATION,
                    bc_flag=0,
                    data_total_length=len(packet.data),
                    data=packet.data,
                )
            )
            sender.send_hci_packet(
                hci.HCI_Number_Of_Completed_Packets_Event(
                    connection_handles=[self.ends[sender].handle], num_completed_packets=[1]
                )
            )

        self._send(receiver, arrive)

    def send_control(self, sender: RadioController, packet: ll.ControlPdu) -> None:
        """Carry a control packet."""
        receiver = self._peer(sender)
        if receiver is None:
            return
        if isinstance(packet, ll.ConnectionUpdateInd):
            self._interval_s = packet.interval * _INTERVAL_UNIT_S
            self._timeout_s = packet.timeout * _TIMEOUT_UNIT_S
        sender_address = self.ends[sender].self_address
        self._send(receiver, lambda: receiver.on_ll_control_pdu(sender_address, packet))

    def update(self) -> None:
        """Look again whether the ends hear each other: start or stop the supervision timer, let packets pass."""
        if self._hears():
            if self._silence is not None:
                self._silence.cancel()
                self._silence = None
            for receiver in self.ends:
                self._pump(receiver)
        elif self._silence is None and self.ends:
            self._silence = asyncio.get_running_loop().call_later(self._timeout_s, self._expire)

    def disconnect(self, sender: RadioController, reason: int) -> None:
        """End the connection at the wish of one end; an end out of range learns of it by its timeout."""
        peer = self._peer(sender) if self._hears() else None
        self._close(sender, hci.HCI_ErrorCode.CONNECTION_TERMINATED_BY_LOCAL_HOST_ERROR)
        if peer is not None:
            self._close(peer, reason)
        self.update()

    def leave(self, controller: RadioController) -> None:
        """Silence one end for good without a word to either host (its power is gone)."""
        self._remove(controller)
        self.update()

    def _expire(self) -> None:
        for controller in tuple(self.ends):
            self._close(controller, hci.HCI_ErrorCode.CONNECTION_TIMEOUT_ERROR)

    def _hears(self) -> bool:
        return len(self.ends) == 2 and all(controller.in_range for controller in self.ends)

    def _peer(self, controller: RadioController) -> RadioController | None:
        return next((end for end in self.ends if end is not controller), None)

    def _send(self, receiver: RadioController, arrive: Callable[[], None]) -> None:
        self._waiting[receiver].append(arrive)
        self._pump(receiver)

    def _pump(self, receiver: RadioController) -> None:
        if receiver in self._arrivals or not self._waiting[receiver] or not receiver.host_reads or not self._hears():
            return
        loop = asyncio.get_running_loop()
        delay_s = self._radio.retransmission_delay_s(self._interval_s)
        self._arrivals[receiver] = (
            loop.call_later(delay_s, self._arrive, receiver) if delay_s else loop.call_soon(self._arrive, receiver)
        )

    def _arrive(self, receiver: RadioController) -> None:
        del self._arrivals[receiver]
        if receiver.host_reads and self._hears():
            self._waiting[receiver].popleft()()
            self._pump(receiver)

    def _close(self, controller: RadioController, reason: int) -> None:
        connection = self._remove(controller)
        controller.send_hci_packet(
            hci.HCI_Disconnection_Complete_Event(
                status=hci.HCI_ErrorCode.SUCCESS, connection_handle=connection.handle, reason=reason
            )
        )

    def _remove(self, controller: RadioController) -> bumble_controller.Connection:
        connection = self.ends.pop(controller)
        controller.le_connections.pop(connection.peer_address, None)
        self._waiting.pop(controller)
        if arrival := self._arrivals.pop(controller, None):
            arrival.cancel()
        if not self.ends:
            if self._silence is not None:
                self._silence.cancel()
            self._radio.forget(self)
        return connection
