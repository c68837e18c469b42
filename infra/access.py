"""How a view of the contract is reached from here: directly, or through the API of a cluster."""

from typing import TYPE_CHECKING

from infra.contract import PortForward, View

if TYPE_CHECKING:
    from components.slices.forward import Target


def reached(view: View, *, grpc: bool = False) -> tuple[str, int]:
    """Host and port to connect to. Raises SliceError when the cluster can't be asked."""
    port = view.grpc_port if grpc else view.port
    assert port is not None
    if not isinstance(view.access, PortForward):
        return view.host, port
    from components.slices.forward import forwarded  # what it loads only clusters need

    # At the view's own port, where it is free: presigned URLs are valid for one host and port.
    return forwarded(_target(view.access, grpc=grpc), preferred=port)


def trouble(view: View) -> str | None:
    """Why the last connection of `reached` came to nothing, where that is not the backend's doing."""
    if not isinstance(view.access, PortForward):
        return None
    from components.slices import forward

    return forward.trouble(_target(view.access, grpc=False))


def _target(access: PortForward, *, grpc: bool) -> "Target":
    from components.slices.forward import Target

    port = access.grpc_port if grpc else access.port
    assert port is not None
    return Target(access.context, access.namespace, access.service, port)
