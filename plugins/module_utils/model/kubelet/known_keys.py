# Copyright: Contributors to the homenode.numa project
# BSD 2-Clause License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The keys that a KubeletConfiguration has, by version: a kubelet logs any other and goes on.

Source: the ``types.go`` of k8s.io/kubelet ``config/v1beta1``, releases 0.28 to 0.36; in all these
nothing was removed. Out of scope: the keys inside of these.
"""

from __future__ import annotations

from collections.abc import Mapping

from .defaults import Version, version_of

SINCE_1_28 = frozenset(
    [
        "address",
        "allowedUnsafeSysctls",
        "authentication",
        "authorization",
        "cgroupDriver",
        "cgroupRoot",
        "cgroupsPerQOS",
        "clusterDNS",
        "clusterDomain",
        "configMapAndSecretChangeDetectionStrategy",
        "containerLogMaxFiles",
        "containerLogMaxSize",
        "containerRuntimeEndpoint",
        "contentType",
        "cpuCFSQuota",
        "cpuCFSQuotaPeriod",
        "cpuManagerPolicy",
        "cpuManagerPolicyOptions",
        "cpuManagerReconcilePeriod",
        "enableContentionProfiling",
        "enableControllerAttachDetach",
        "enableDebugFlagsHandler",
        "enableDebuggingHandlers",
        "enableProfilingHandler",
        "enableServer",
        "enableSystemLogHandler",
        "enableSystemLogQuery",
        "enforceNodeAllocatable",
        "eventBurst",
        "eventRecordQPS",
        "evictionHard",
        "evictionMaxPodGracePeriod",
        "evictionMinimumReclaim",
        "evictionPressureTransitionPeriod",
        "evictionSoft",
        "evictionSoftGracePeriod",
        "failSwapOn",
        "featureGates",
        "fileCheckFrequency",
        "hairpinMode",
        "healthzBindAddress",
        "healthzPort",
        "httpCheckFrequency",
        "imageGCHighThresholdPercent",
        "imageGCLowThresholdPercent",
        "imageMinimumGCAge",
        "imageServiceEndpoint",
        "iptablesDropBit",
        "iptablesMasqueradeBit",
        "kernelMemcgNotification",
        "kubeAPIBurst",
        "kubeAPIQPS",
        "kubeReserved",
        "kubeReservedCgroup",
        "kubeletCgroups",
        "localStorageCapacityIsolation",
        "logging",
        "makeIPTablesUtilChains",
        "maxOpenFiles",
        "maxParallelImagePulls",
        "maxPods",
        "memoryManagerPolicy",
        "memorySwap",
        "memoryThrottlingFactor",
        "nodeLeaseDurationSeconds",
        "nodeStatusMaxImages",
        "nodeStatusReportFrequency",
        "nodeStatusUpdateFrequency",
        "oomScoreAdj",
        "podCIDR",
        "podPidsLimit",
        "podsPerCore",
        "port",
        "protectKernelDefaults",
        "providerID",
        "qosReserved",
        "readOnlyPort",
        "registerNode",
        "registerWithTaints",
        "registryBurst",
        "registryPullQPS",
        "reservedMemory",
        "reservedSystemCPUs",
        "resolvConf",
        "rotateCertificates",
        "runOnce",
        "runtimeRequestTimeout",
        "seccompDefault",
        "serializeImagePulls",
        "serverTLSBootstrap",
        "showHiddenMetricsForVersion",
        "shutdownGracePeriod",
        "shutdownGracePeriodByPodPriority",
        "shutdownGracePeriodCriticalPods",
        "staticPodPath",
        "staticPodURL",
        "staticPodURLHeader",
        "streamingConnectionIdleTimeout",
        "syncFrequency",
        "systemCgroups",
        "systemReserved",
        "systemReservedCgroup",
        "tlsCertFile",
        "tlsCipherSuites",
        "tlsMinVersion",
        "tlsPrivateKeyFile",
        "topologyManagerPolicy",
        "topologyManagerPolicyOptions",
        "topologyManagerScope",
        "tracing",
        "volumePluginDir",
        "volumeStatsAggPeriod",
    ]
)
ADDED: Mapping[Version, tuple[str, ...]] = {
    (1, 29): ("imageMaximumGCAge",),
    (1, 30): (
        "containerLogMaxWorkers",
        "containerLogMonitorInterval",
        "podLogsDir",
    ),
    (1, 31): ("failCgroupV1",),
    (1, 32): (
        "crashLoopBackOff",
        "singleProcessOOMKill",
    ),
    (1, 33): (
        "imagePullCredentialsVerificationPolicy",
        "mergeDefaultEvictionSettings",
        "preloadedImagesVerificationAllowlist",
        "userNamespaces",
    ),
    (1, 36): (
        "memoryReservationPolicy",
        "tlsCurvePreferences",
    ),
}
"""What came with which version."""


def known_keys(version: str) -> frozenset[str]:
    """All keys that a kubelet of *version* knows. Raises HomenodeProblem for no version."""
    current = version_of(version)
    added = [key for since, keys in ADDED.items() if since <= current for key in keys]
    return SINCE_1_28 | frozenset(added)


def since(key: str) -> str:
    """The first version that knows *key*, as text; "" where none does, or all do."""
    found = [version for version, keys in ADDED.items() if key in keys]
    return ".".join(map(str, found[0])) if found else ""
