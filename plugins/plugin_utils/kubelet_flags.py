# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This plugin util is PRIVATE to the homenode.numa collection. It may break without notice.

"""The flags that a kubelet knows, as ``kubelet --help`` of 1.31.0 and 1.35.4 prints them.

A flag that is not among them stops the kubelet with ``unknown flag``.
"""

from __future__ import annotations

from typing import Optional

_KNOWN = """
    address allowed-unsafe-sysctls anonymous-auth application-metrics-count-limit
    authentication-token-webhook authentication-token-webhook-cache-ttl authorization-mode
    authorization-webhook-cache-authorized-ttl authorization-webhook-cache-unauthorized-ttl
    boot-id-file bootstrap-kubeconfig cert-dir cgroup-driver cgroup-root cgroups-per-qos
    client-ca-file cloud-provider cluster-dns cluster-domain config config-dir container-hints
    container-log-max-files container-log-max-size container-runtime-endpoint containerd
    containerd-namespace contention-profiling cpu-cfs-quota cpu-cfs-quota-period
    cpu-manager-policy cpu-manager-policy-options cpu-manager-reconcile-period
    enable-controller-attach-detach enable-debugging-handlers enable-load-reader enable-server
    enforce-node-allocatable event-burst event-qps event-storage-age-limit
    event-storage-event-limit eviction-hard eviction-max-pod-grace-period
    eviction-minimum-reclaim eviction-pressure-transition-period eviction-soft
    eviction-soft-grace-period exit-on-lock-contention experimental-allocatable-ignore-eviction
    experimental-mounter-path fail-cgroupv1 fail-swap-on feature-gates file-check-frequency
    global-housekeeping-interval hairpin-mode healthz-bind-address healthz-port help
    hostname-override housekeeping-interval http-check-frequency
    image-credential-provider-bin-dir image-credential-provider-config image-gc-high-threshold
    image-gc-low-threshold image-service-endpoint kernel-memcg-notification kube-api-burst
    kube-api-content-type kube-api-qps kube-reserved kube-reserved-cgroup kubeconfig
    kubelet-cgroups local-storage-capacity-isolation lock-file log-cadvisor-usage
    log-flush-frequency log-json-info-buffer-size log-json-split-stream log-text-info-buffer-size
    log-text-split-stream logging-format machine-id-file make-iptables-util-chains manifest-url
    manifest-url-header max-open-files max-pods maximum-dead-containers
    maximum-dead-containers-per-container memory-manager-policy minimum-container-ttl-duration
    minimum-image-ttl-duration node-ip node-labels node-status-max-images
    node-status-update-frequency oom-score-adj pod-cidr pod-manifest-path pod-max-pids
    pods-per-core port protect-kernel-defaults provider-id qos-reserved read-only-port
    register-node register-with-taints registry-burst registry-qps reserved-cpus reserved-memory
    resolv-conf root-dir rotate-certificates rotate-server-certificates runonce runtime-cgroups
    runtime-request-timeout seccomp-default serialize-image-pulls storage-driver-buffer-duration
    storage-driver-db storage-driver-host storage-driver-password storage-driver-secure
    storage-driver-table storage-driver-user streaming-connection-idle-timeout sync-frequency
    system-cgroups system-reserved system-reserved-cgroup tls-cert-file tls-cipher-suites
    tls-min-version tls-private-key-file topology-manager-policy topology-manager-policy-options
    topology-manager-scope v version vmodule volume-plugin-dir volume-stats-agg-period
"""
FLAGS = frozenset(_KNOWN.split())
GONE = frozenset(("cloud-config", "pod-infra-container-image", "register-schedulable"))
"""Known to 1.31.0 and unknown to 1.35.4."""
GONE_BY = (1, 35)


def unknown(name: str, version: tuple[int, int]) -> bool:
    """Whether a kubelet of *version* refuses the flag *name* as unknown."""
    return name not in FLAGS and not (name in GONE and version < GONE_BY)


def nearest(name: str) -> Optional[str]:
    """The flag that *name* means, if only its spelling differs, as in ``kubeReserved``."""
    letters = _letters(name)
    return next((flag for flag in sorted(FLAGS) if _letters(flag) == letters), None)


def _letters(name: str) -> str:
    return "".join(character for character in name.lower() if character.isalnum())
