# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A kubelet's settings as user data."""

from __future__ import annotations

DOCUMENTATION = r"""
name: kubelet_user_data
short_description: Write a kubelet's settings as the user data of an EKS node
version_added: 0.1.0
description:
  - For machines that read their kubelet's settings once, at their first boot, from a launch
    template. Equal settings give equal text, so a launch template changes only if they do.
  - Every text is quoted. What a kubelet would refuse in any case is refused here, since a machine
    that boots with it never joins the cluster.
author:
  - homenode contributors (@homenode)
options:
  _input:
    description:
      - Keys of a KubeletConfiguration.
    type: dict
    required: true
  distribution:
    description:
      - With V(eks-al2023), a C(NodeConfig) for nodeadm. C(reservedSystemCPUs) takes along the two
        cgroups that have to be empty beside it.
      - With V(bottlerocket), TOML under C(settings.kubernetes). Keys and options that Bottlerocket
        does not have raise an error.
      - With V(eks-al2), the argument C(--kubelet-extra-args) of C(/etc/eks/bootstrap.sh). A flag
        replaces a whole map of the image's file, so C(kubeReserved) without memory raises an error.
        With C(maxPods) the argument C(--use-max-pods false) comes first.
    type: str
    choices: [eks-al2023, bottlerocket, eks-al2]
    required: true
  version:
    description:
      - The version of Kubernetes, which decides about options of Bottlerocket.
    type: str
    default: "1.35"
  cluster:
    description:
      - What identifies the cluster, with the keys C(name), C(apiServerEndpoint),
        C(certificateAuthority) and C(cidr). Managed node groups with an image of EKS add it by
        themselves. Not with V(eks-al2), where the script has arguments for it.
    type: dict
  mime:
    description:
      - Whether to wrap a C(NodeConfig) in MIME, as launch templates of managed node groups have it.
    type: bool
    default: false
seealso:
  - plugin: homenode.numa.eks_kube_reserved
    plugin_type: filter
  - plugin: homenode.numa.kubelet_reserved_memory
    plugin_type: filter
"""

EXAMPLES = r"""
- name: User data for a launch template of AL2023
  ansible.builtin.debug:
    msg: "{{ settings | homenode.numa.kubelet_user_data('eks-al2023', mime=true) }}"
  vars:
    settings:
      cpuManagerPolicy: static
      memoryManagerPolicy: Static
      topologyManagerPolicy: single-numa-node
      reservedMemory: "{{ '8462Mi' | homenode.numa.kubelet_reserved_memory(['192Gi', '192Gi']) }}"

- name: The same for Bottlerocket
  ansible.builtin.debug:
    msg: "{{ settings | homenode.numa.kubelet_user_data('bottlerocket', version='1.34') }}"
  vars:
    settings:
      memoryManagerPolicy: Static
      reservedMemory: [{numaNode: 0, limits: {memory: 8462Mi}}]
"""

RETURN = r"""
_value:
  description:
    - The text, with a newline at its end.
  type: str
"""

from collections.abc import Callable, Mapping
from typing import Any

from ansible_collections.homenode.numa.plugins.module_utils.model.kubelet.defaults import (
    DEFAULT_VERSION,
)
from ansible_collections.homenode.numa.plugins.module_utils.model.problem import HomenodeProblem
from ansible_collections.homenode.numa.plugins.plugin_utils.arguments import one_of, yes_or_no
from ansible_collections.homenode.numa.plugins.plugin_utils.filter_door import filters
from ansible_collections.homenode.numa.plugins.plugin_utils.user_data import (
    CLUSTER_KEYS,
    user_data,
)

DISTRIBUTIONS = ("eks-al2023", "bottlerocket", "eks-al2")


def kubelet_user_data(
    settings: object,
    distribution: object,
    version: object = DEFAULT_VERSION,
    cluster: object = None,
    mime: object = False,
) -> str:
    """*settings* as the text that a machine of *distribution* boots with."""
    if not isinstance(settings, Mapping):
        remedy = "give the keys of a KubeletConfiguration"
        raise HomenodeProblem("settings", settings, "is not a mapping", remedy)
    name = one_of("distribution", distribution, DISTRIBUTIONS)
    if yes_or_no("mime", mime) and name != "eks-al2023":
        raise HomenodeProblem("mime", name, "is no NodeConfig", "leave mime out")
    if cluster is not None and name == "eks-al2":
        remedy = "leave cluster out, and give bootstrap.sh the cluster's name"
        raise HomenodeProblem("cluster", cluster, "is no flag of a kubelet", remedy)
    return user_data(settings, name, str(version), _cluster(cluster), bool(mime))


def _cluster(cluster: object) -> dict[str, str]:
    if cluster is None:
        return {}
    known = isinstance(cluster, Mapping) and all(
        key in CLUSTER_KEYS and isinstance(value, str) for key, value in cluster.items()
    )
    if not isinstance(cluster, Mapping) or not known:
        keys = ", ".join(CLUSTER_KEYS)
        raise HomenodeProblem("cluster", cluster, "is not as expected", f"give {keys} as texts")
    return dict(cluster)


class FilterModule:
    """What Ansible looks for."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """The filter by its name."""
        return filters(kubelet_user_data)
