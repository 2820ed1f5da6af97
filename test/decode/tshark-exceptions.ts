/** Files that we see otherwise than tshark 4.0.17 does, and why. */
export interface ExceptionGroup {
  readonly reason: string;
  /** The difference per file, as the test words it; a file that begins to agree must be taken out. */
  readonly files: Readonly<Record<string, string>>;
}

export const exceptions: readonly ExceptionGroup[] = [
  {
    reason: 'A damaged block: tshark stops there, the reader goes on behind it.',
    files: {
      'derived-robustness/flip_pcapng_006.pcapng': '3 packets for 1',
      'derived-robustness/flip_pcapng_007.pcapng': '4 packets for 1',
      'derived-robustness/flip_pcapng_008.pcapng': '5 packets for 1',
      'derived-robustness/flip_pcapng_020.pcapng': '5 packets for 1',
      'derived-robustness/flip_pcapng_022.pcapng': '5 packets for 0',
      'derived-robustness/flip_pcapng_026.pcapng': '5 packets for 2',
      'derived-robustness/flip_pcapng_029.pcapng': '5 packets for 4',
      'derived-robustness/flip_pcapng_031.pcapng': '4 packets for 1',
      'derived-robustness/flip_pcapng_036.pcapng': '4 packets for 1',
      'derived-robustness/flip_pcapng_038.pcapng': '4 packets for 0',
      'derived-robustness/flip_pcapng_039.pcapng': '4 packets for 0',
      'derived-robustness/flip_pcapng_051.pcapng': '4 packets for 3',
      'derived-robustness/flip_pcapng_053.pcapng': '3 packets for 1',
      'derived-robustness/flip_pcapng_054.pcapng': '5 packets for 0',
      'derived-robustness/flip_pcapng_be_003.pcapng': '5 packets for 0',
      'derived-robustness/flip_pcapng_be_009.pcapng': '5 packets for 4',
      'derived-robustness/flip_pcapng_be_010.pcapng': '5 packets for 0',
    },
  },
  {
    reason:
      'The file ends within its first block, so that it is no capture; tshark shows such a file as one frame of content.',
    files: {
      'derived-robustness/trunc_pcapng_000004.pcapng': '0 packets for 1',
      'derived-robustness/trunc_pcapng_000012.pcapng': '0 packets for 1',
      'derived-robustness/trunc_pcapng_000016.pcapng': '0 packets for 1',
      'derived-robustness/trunc_pcapng_000027.pcapng': '0 packets for 1',
      'derived-robustness/trunc_pcapng_000028.pcapng': '0 packets for 1',
      'derived-robustness/trunc_pcapng_000029.pcapng': '0 packets for 1',
      'derived-robustness/trunc_pcapng_000032.pcapng': '0 packets for 1',
      'derived-robustness/trunc_pcapng_be_000012.pcapng': '0 packets for 1',
      'derived-robustness/trunc_pcapng_be_000028.pcapng': '0 packets for 1',
    },
  },
  {
    reason: 'An interface of another section has the same number; tshark takes its name.',
    files: {
      'pcapng-test-generator/output_be/difficult/test201.pcapng': '2 from 2: frame.interface_name',
      'pcapng-test-generator/output_be/difficult/test202.pcapng': '4 from 5: frame.interface_name',
      'pcapng-test-generator/output_le/difficult/test201.pcapng': '2 from 2: frame.interface_name',
      'pcapng-test-generator/output_le/difficult/test202.pcapng': '4 from 5: frame.interface_name',
    },
  },
  {
    reason: 'tshark prints the control character of the name as it is.',
    files: {
      'derived-robustness/flip_pcapng_005.pcapng': '1 from 3: frame.interface_name',
      'derived-robustness/flip_pcapng_014.pcapng': '1 from 4: frame.interface_name',
      'derived-robustness/flip_pcapng_be_013.pcapng': '1 from 4: frame.interface_name',
    },
  },
  {
    reason: 'A format that is no pcap and no pcapng.',
    files: {
      'PcapPlusPlus/ExamplesTest/pcap_examples/solaris.snoop': '0 packets for 250',
    },
  },
  {
    reason:
      'tshark refuses the file for its link type (switch tags, Juniper, multilink Frame Relay, others), or for that of another interface in it.',
    files: {
      'gopacket/pcapgo/tests/be/test901.pcapng': '2 packets for 1',
      'gopacket/pcapgo/tests/le/test901.pcapng': '2 packets for 1',
      'libpcap/tests/filter/brcm-tag-stp.pcap': '4 packets for 0',
      'libpcap/tests/filter/brcm-tag.pcap': '15 packets for 0',
      'libpcap/tests/filter/dsa.pcap': '8 packets for 0',
      'ntopng/fuzz_dissect_packet/hoobr_juniper3.pcap': '1 packets for 0',
      'ntopng/fuzz_dissect_packet/juniper_es_oobr.pcap': '1 packets for 0',
      'ntopng/fuzz_dissect_packet/vtp_asan-2.pcap': '1 packets for 0',
      'python-pcapng/test_data/test007.ntar': '1 packets for 0',
      'tcpdump/brcm-tag-prepend.pcap': '15 packets for 0',
      'tcpdump/brcm-tag.pcap': '23 packets for 0',
      'tcpdump/dsa-high-vid.pcap': '4 packets for 0',
      'tcpdump/edsa-high-vid.pcap': '4 packets for 0',
      'tcpdump/edsa.pcap': '10 packets for 0',
      'tcpdump/frf16_magic_ie-oobr.pcap': '1 packets for 0',
      'tcpdump/hoobr_juniper3.pcap': '1 packets for 0',
      'tcpdump/juniper_es_oobr.pcap': '1 packets for 0',
      'tcpdump/juniper_monitor_invalid_cookie_length.pcap': '1 packets for 0',
      'tcpdump/kday6.pcap': '1 packets for 0',
      'tcpdump/vtp_asan-2.pcap': '1 packets for 0',
      'tcpdump/vtp_asan-3.pcap': '1 packets for 0',
      'tcpdump/vtp_asan.pcap': '5 packets for 0',
    },
  },
  {
    reason: 'A fraction of seconds beyond one: tshark calculates it in 32 bits.',
    files: {
      'ntopng/fuzz_dissect_packet/eap_extract_read2_asan.pcap': '1 from 1: frame.time_epoch',
      'ntopng/fuzz_dissect_packet/icmp-icmp_print-oobr-1.pcap': '1 from 1: frame.time_epoch',
      'ntopng/fuzz_dissect_packet/mobility_opt_asan.pcap': '1 from 2: frame.time_epoch',
      'ntopng/fuzz_dissect_packet/mobility_opt_asan_3.pcap': '1 from 2: frame.time_epoch',
      'ntopng/fuzz_dissect_packet/mobility_opt_asan_6.pcap': '1 from 2: frame.time_epoch',
      'ntopng/fuzz_dissect_packet/mobility_opt_asan_8.pcap': '1 from 1: frame.time_epoch',
      'ntopng/fuzz_dissect_packet/olsr-oobr-2.pcap': '1 from 2: frame.time_epoch',
      'ntopng/fuzz_dissect_packet/pim_header_asan-2.pcap': '2 from 1: frame.time_epoch',
      'tcpdump/timestamp_invalid_micro.pcap': '1 from 3: frame.time_epoch',
    },
  },
  {
    reason: 'tshark takes the pseudo header of SunATM off before it counts the bytes (and see above for the time).',
    files: {
      'ntopng/fuzz_dissect_packet/atm-oam-heapoverflow.pcap': '1 from 1: frame.cap_len frame.len',
      'tcpdump/atm-heapoverflow.pcap': '1 from 1: frame.cap_len frame.len',
      'tcpdump/atm-oam-heapoverflow.pcap': '1 from 1: frame.cap_len frame.len',
      'tcpdump/atm-oam-loopback-print-overrun.pcap': '1 from 1: frame.time_epoch frame.cap_len frame.len',
    },
  },
  {
    reason: 'Length 0 and more than 64 KiB on the wire: tshark takes the packet, or the datagram, for empty (BIG TCP).',
    files: {
      'tcpdump/bigtcp-ipv6-geneve-ipv4.pcap': '1 from 1: udp.srcport udp.dstport',
      'tcpdump/bigtcp-ipv6-geneve-ipv6.pcap': '1 from 1: udp.srcport udp.dstport',
      'tcpdump/bigtcp-ipv6-vxlan-ipv4.pcap': '1 from 1: udp.srcport udp.dstport',
      'tcpdump/bigtcp-ipv6-vxlan-ipv6.pcap': '1 from 1: udp.srcport udp.dstport',
      'tcpdump/bigtcp-ipv6.pcap': '1 from 1: tcp.srcport tcp.dstport',
    },
  },
  {
    reason: 'tshark undoes compression (IPComp) and encryption (WireGuard, with the keys in the file).',
    files: {
      'libpcap/tests/filter/AH-IPcomp-IPv4.pcap': '4 from 3: tcp.srcport tcp.dstport',
      'libpcap/tests/filter/AH-IPcomp-IPv6.pcap': '7 from 3: tcp.srcport tcp.dstport',
      'wireshark/wireguard-ping-tcp-dsb.pcapng': '6 from 17: tcp.srcport tcp.dstport',
    },
  },
  {
    reason: 'Packets sampled or quoted by an application: sFlow, OpenFlow, LWAPP.',
    files: {
      'PcapPlusPlus/ExamplesTest/pcap_examples/tcp-reassembly.pcap': '1 from 66: tcp.srcport tcp.dstport',
      'tcpdump/lwapp-data.pcap': '3 from 1: wlan.sa wlan.da',
      'tcpdump/of13_ericsson.pcapng': '3 from 65: udp.srcport udp.dstport',
      'tcpdump/sflow-print-v6.pcap': '5 from 4: ip.src ip.dst ip.proto',
      'tcpdump/sflow_expanded.pcap': '1 from 1: vlan.id tcp.srcport tcp.dstport',
    },
  },
  {
    reason: 'Link types that are not read: IEEE 802.15.4, Juniper Ethernet.',
    files: {
      'tcpdump/802_15_4-data.pcap': '1 from 1: ipv6.src ipv6.dst ipv6.nxt',
      'tcpdump/bgp-aigp.pcap': '1 from 1: eth.src eth.dst eth.type ip.src ip.dst ip.proto tcp.srcport tcp.dstport',
      'tcpdump/isis_poi.pcap': '1 from 1: eth.src eth.dst',
      'tcpdump/isis_poi2.pcap': '1 from 1: eth.src eth.dst',
      'tcpdump/juniper_header-heapoverflow.pcap': '1 from 1: eth.src eth.dst eth.type',
    },
  },
  {
    reason: '802.11 frames of protocol version 1, which no network uses.',
    files: {
      'packetnet/80211_raw.pcap': '1 from 1: wlan.da',
      'tcpdump/ieee802.11_rates_oobr.pcap': '1 from 1: wlan.da',
    },
  },
  {
    reason: 'Frame Relay with a made-up control field.',
    files: {
      'tcpdump/q933-heapoverflow-2.pcap': '6 from 2: eth.src eth.dst',
    },
  },
  {
    reason: 'tshark takes the last four bytes of the inner frame for its check sequence.',
    files: {
      'zeek/cisco-fabric-path.pcap': '8 from 114: ipv6.dst',
    },
  },
  {
    reason: "tshark stops at an option that goes beyond its header; the header's own length is sound.",
    files: {
      'zeek/ipv6-mobility-dst-opts.pcap': '1 from 1: udp.srcport udp.dstport',
    },
  },
  {
    reason: 'Label 14 of a broken label stack, behind which tshark expects OAM.',
    files: {
      'zeek/trunc/mpls-6in6-broken.pcap.gz': '1 from 1088: ip.src ip.proto',
    },
  },
];
