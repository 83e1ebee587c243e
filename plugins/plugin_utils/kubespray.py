# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This plugin util is PRIVATE to the homenode.numa collection. It may break without notice.

"""Which keys of the kubelet's file kubespray writes, and by which variables.

Facts about ``roles/kubernetes/node`` of kubespray 2.32.0 (commit 46dbdd3, 2026-08-21): its template
of kubelet-config.yaml and its defaults. All that is not here goes through
``kubelet_config_extra_args``, which is printed among the other keys: a key that both write stands
in the file twice.
"""

from __future__ import annotations

from collections.abc import Mapping

VERSION = "2.32.0"

ALWAYS: Mapping[str, str] = {
    "address": "kubelet_bind_address",
    "clusterDomain": "dns_domain",
    "containerLogMaxFiles": "kubelet_logfiles_max_nr",
    "containerLogMaxSize": "kubelet_logfiles_max_size",
    "containerRuntimeEndpoint": "cri_socket",
    "cgroupDriver": "kubelet_cgroup_driver",
    "eventRecordQPS": "kubelet_event_record_qps",
    "failSwapOn": "kubelet_fail_swap_on",
    "healthzBindAddress": "kubelet_healthz_bind_address",
    "healthzPort": "kubelet_healthz_port",
    "kubeletCgroups": "kubelet_kubelet_cgroups",
    "maxParallelImagePulls": "kubelet_max_parallel_image_pulls",
    "maxPods": "kubelet_max_pods",
    "nodeStatusUpdateFrequency": "kubelet_status_update_frequency",
    "podPidsLimit": "kubelet_pod_pids_limit",
    "readOnlyPort": "kube_read_only_port",
    "resolvConf": "kube_resolv_conf",
    "shutdownGracePeriod": "kubelet_shutdown_grace_period",
    "shutdownGracePeriodCriticalPods": "kubelet_shutdown_grace_period_critical_pods",
    "staticPodPath": "kube_manifest_dir",
}
"""Keys that are always in the file: through the extra arguments they would be there twice."""

WHERE_DEFINED: Mapping[str, str] = {
    "cpuManagerPolicy": "kubelet_cpu_manager_policy",
    "cpuManagerPolicyOptions": "kubelet_cpu_manager_policy_options",
    "imageGCHighThresholdPercent": "kubelet_image_gc_high_threshold",
    "imageGCLowThresholdPercent": "kubelet_image_gc_low_threshold",
    "makeIPTablesUtilChains": "kubelet_make_iptables_util_chains",
    "protectKernelDefaults": "kubelet_protect_kernel_defaults",
    "rotateCertificates": "kubelet_rotate_certificates",
    "seccompDefault": "kubelet_seccomp_default",
    "serverTLSBootstrap": "kubelet_rotate_server_certificates",
    "streamingConnectionIdleTimeout": "kubelet_streaming_connection_idle_timeout",
    "tlsCipherSuites": "tls_cipher_suites",
    "tlsMinVersion": "tls_min_version",
    "topologyManagerPolicy": "kubelet_topology_manager_policy",
    "topologyManagerScope": "kubelet_topology_manager_scope",
    "failCgroupV1": "kubelet_fail_cgroup_v1",
}
"""Keys that are in the file where their variable is defined, or true, or for newer kubelets."""

OWN: Mapping[str, str] = {
    "authentication": "kubelet_authentication_token_webhook",
    "authorization": "kubelet_authorization_mode_webhook",
    "clusterDNS": "dns_mode, enable_nodelocaldns, manual_dns_server",
    "tracing": "kubelet_tracing, kubelet_tracing_endpoint",
}
"""Keys that kubespray makes of several variables, so that no value can be handed on."""

RESERVED: Mapping[str, Mapping[str, str]] = {
    "kube": {"cpu": "100m", "memory": "256Mi", "ephemeral-storage": "500Mi", "pid": "1000"},
    "system": {"cpu": "500m", "memory": "512Mi", "ephemeral-storage": "500Mi", "pid": "1000"},
}
"""What kubespray reserves where the variables say nothing; all four are always in the file."""


def reserved_variable(scope: str, resource: str) -> str:
    """The variable of one amount, such as ``kube_ephemeral_storage_reserved``."""
    return f"{scope}_{resource.replace('-', '_')}_reserved"
