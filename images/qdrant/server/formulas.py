"""Formulas that score a query's results anew, as the engine's expressions."""

from typing import Any, Final

import qdrant_edge as edge
from qdrant_client.http import models

from images.qdrant.server.errors import NotOfferedError
from images.qdrant.server.filters import to_condition, to_geo_point

E: Final = edge.Expression


def to_formula(model: models.FormulaQuery) -> edge.Formula:
    """Raises NotOfferedError for an expression that is not known here."""
    return edge.Formula(_expression(model.formula), dict(model.defaults or {}))


def _expression(model: Any) -> Any:
    match model:
        case bool():
            raise NotOfferedError("a truth value in a formula")
        case int() | float():
            return E.Constant(float(model))
        case str():
            return E.Variable(model)
        case models.SumExpression():
            return E.Sum([_expression(each) for each in model.sum])
        case models.MultExpression():
            return E.Mult([_expression(each) for each in model.mult])
        case models.NegExpression():
            return E.Neg(_expression(model.neg))
        case models.AbsExpression():
            return E.Abs(_expression(model.abs))
        case models.SqrtExpression():
            return E.Sqrt(_expression(model.sqrt))
        case models.ExpExpression():
            return E.Exp(_expression(model.exp))
        case models.LnExpression():
            return E.Ln(_expression(model.ln))
        case models.Log10Expression():
            return E.Log10(_expression(model.log10))
        case models.PowExpression():
            return E.Pow(_expression(model.pow.base), _expression(model.pow.exponent))
        case models.DivExpression():
            return E.Div(_expression(model.div.left), _expression(model.div.right), model.div.by_zero_default)
        case models.DatetimeExpression():
            return E.Datetime(model.datetime)
        case models.DatetimeKeyExpression():
            return E.DatetimeKey(model.datetime_key)
        case models.GeoDistance():
            return E.GeoDistance(to_geo_point(model.geo_distance.origin), model.geo_distance.to)
        case models.LinDecayExpression():
            return _decay(edge.DecayKind.Lin, model.lin_decay)
        case models.GaussDecayExpression():
            return _decay(edge.DecayKind.Gauss, model.gauss_decay)
        case models.ExpDecayExpression():
            return _decay(edge.DecayKind.Exp, model.exp_decay)
        case models.FieldCondition() | models.Filter() | models.HasIdCondition() | models.NestedCondition():
            return E.Condition(to_condition(model))
        case models.IsEmptyCondition() | models.IsNullCondition() | models.HasVectorCondition():
            return E.Condition(to_condition(model))
    raise NotOfferedError(f"the expression {type(model).__name__}")


def _decay(kind: edge.DecayKind, model: models.DecayParamsExpression) -> Any:
    target = None if model.target is None else _expression(model.target)
    return E.Decay(kind, _expression(model.x), target, model.midpoint, model.scale)
