# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files of a node of a kubeadm cluster: what the package brings, and what `join` writes.

Pure. By the packages and kubeadm of 1.35, except for addresses and names.
"""

from __future__ import annotations

from typing import Any

import yaml

KUBELET = "/usr/bin/kubelet"
UNIT = "/usr/lib/systemd/system/kubelet.service"
UNIT_DROP_IN = "/usr/lib/systemd/system/kubelet.service.d/10-kubeadm.conf"
CONFIG = "/var/lib/kubelet/config.yaml"
FLAGS = "/var/lib/kubelet/kubeadm-flags.env"
CONF = "/etc/kubernetes/kubelet.conf"
CLIENT = "/var/lib/kubelet/pki/kubelet-client-current.pem"
PKI = "/etc/kubernetes/pki"
MANIFESTS = "/etc/kubernetes/manifests"
NETWORK = "/etc/cni/net.d/10-lab.conflist"
NETWORK_BINARIES = ("/opt/cni/bin/loopback", "/usr/lib/cni/loopback")  # upstream's place, Debian's
PROGRAMS = (KUBELET, *NETWORK_BINARIES)
ADDRESS_UNIT = "/etc/systemd/system/lab-node-address.service"

SERVICE = f"""[Unit]
Description=kubelet: The Kubernetes Node Agent
Documentation=https://kubernetes.io/docs/
Wants=network-online.target
After=network-online.target

[Service]
ExecStart={KUBELET}
Restart=always
StartLimitInterval=0
RestartSec=10

[Install]
WantedBy=multi-user.target
"""

SERVICE_BY_KUBEADM = f"""[Service]
Environment="KUBELET_KUBECONFIG_ARGS=--bootstrap-kubeconfig=\
/etc/kubernetes/bootstrap-kubelet.conf --kubeconfig={CONF}"
Environment="KUBELET_CONFIG_ARGS=--config={CONFIG}"
EnvironmentFile=-{FLAGS}
EnvironmentFile=-/etc/default/kubelet
ExecStart=
ExecStart={KUBELET} $KUBELET_KUBECONFIG_ARGS $KUBELET_CONFIG_ARGS $KUBELET_KUBEADM_ARGS\
 $KUBELET_EXTRA_ARGS
"""

# The node gets ready when a network is described. Ours gives pods an address that leads nowhere.
NETWORK_OF_PODS = '{"cniVersion": "0.4.0", "name": "lab", "plugins": [{"type": "loopback"}]}\n'
NETWORK_PROGRAM = """#!/bin/sh
[ "$CNI_COMMAND" != VERSION ] || exec echo '{"cniVersion": "0.4.0", "supportedVersions": ["0.4.0"]}'
version=$(grep -o '"cniVersion":"[^"]*"')
cat <<END
{${version:-"cniVersion":"0.4.0"}, "interfaces": [{"name": "$CNI_IFNAME", "sandbox": "$CNI_NETNS"}],
 "ips": [{"version": "4", "interface": 0, "address": "10.98.0.2/24"}]}
END
"""


# All guests have one address, and the API server tells nodes apart by theirs.
SERVICE_ADDRESS = """[Unit]
Description=Address of this node
Before=kubelet.service

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/usr/sbin/ip address add {address}/32 dev lo

[Install]
WantedBy=multi-user.target
"""


def node_files(name: str, address: str) -> dict[str, str]:
    """By path, all that holds no secret."""
    flags = (
        "--container-runtime-endpoint=unix:///run/containerd/containerd.sock"
        f" --hostname-override={name} --node-ip={address}"
    )
    return {
        UNIT: SERVICE,
        UNIT_DROP_IN: SERVICE_BY_KUBEADM,
        ADDRESS_UNIT: SERVICE_ADDRESS.format(address=address),
        FLAGS: f'KUBELET_KUBEADM_ARGS="{flags}"\n',
        "/etc/default/kubelet": "KUBELET_EXTRA_ARGS=\n",
        CONFIG: yaml.safe_dump(configuration()),
        NETWORK: NETWORK_OF_PODS,
        **dict.fromkeys(NETWORK_BINARIES, NETWORK_PROGRAM),
    }


def configuration() -> dict[str, Any]:
    """What `kubeadm join` writes for a kubelet whose administrator asked for nothing."""
    durations = (
        "cpuManagerReconcilePeriod",
        "evictionPressureTransitionPeriod",
        "fileCheckFrequency",
        "httpCheckFrequency",
        "imageMaximumGCAge",
        "imageMinimumGCAge",
        "nodeStatusReportFrequency",
        "nodeStatusUpdateFrequency",
        "runtimeRequestTimeout",
        "shutdownGracePeriod",
        "shutdownGracePeriodCriticalPods",
        "streamingConnectionIdleTimeout",
        "syncFrequency",
        "volumeStatsAggPeriod",
    )
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "authentication": {
            "anonymous": {"enabled": False},
            "webhook": {"cacheTTL": "0s", "enabled": True},
            "x509": {"clientCAFile": f"{PKI}/ca.crt"},
        },
        "authorization": {
            "mode": "Webhook",
            "webhook": {"cacheAuthorizedTTL": "0s", "cacheUnauthorizedTTL": "0s"},
        },
        "cgroupDriver": "systemd",
        "clusterDNS": ["10.96.0.10"],
        "clusterDomain": "cluster.local",
        "healthzBindAddress": "127.0.0.1",
        "healthzPort": 10248,
        "logging": {"flushFrequency": 0, "verbosity": 0},
        "memorySwap": {},
        "rotateCertificates": True,
        "staticPodPath": MANIFESTS,
        **dict.fromkeys(durations, "0s"),
    }
