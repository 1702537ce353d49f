"""The catalogue of laws. Each line names a law and where its code is; nothing loads until asked.

>>> import jscale as js
>>> js.laws.get("chinchilla").reference
'arXiv:2203.15556'
"""

from __future__ import annotations

from jscale.model.registry import Registry

CATALOGUE = {
    "power": "jscale.laws.one_axis:power_law",
    "power_const": "jscale.laws.one_axis:power_const",
    "power_shift": "jscale.laws.one_axis:power_shift",
    "log_linear": "jscale.laws.one_axis:log_linear",
    "stretched": "jscale.laws.one_axis:stretched",
    "learning_curve": "jscale.laws.one_axis:learning_curve",
    "m4": "jscale.laws.one_axis:m4",
    "u_shape": "jscale.laws.shapes:u_shape",
    "inverted_u": "jscale.laws.shapes:inverted_u",
    "inverse_scaling": "jscale.laws.shapes:inverse_scaling",
    "ensemble": "jscale.laws.ensembles:ensemble",
    "ensemble_limits": "jscale.laws.ensembles:ensemble_limits",
    "uncertainty": "jscale.laws.ensembles:uncertainty",
    "variance_limited": "jscale.laws.regimes:variance_limited",
    "variance_limited_size": "jscale.laws.regimes:variance_limited_size",
    "resolution_limited": "jscale.laws.regimes:resolution_limited",
    "superposition": "jscale.laws.regimes:superposition",
    "broken": "jscale.laws.broken:broken",
    "chinchilla": "jscale.laws.loss_surfaces:chinchilla",
    "chinchilla_tied": "jscale.laws.loss_surfaces:chinchilla_tied",
    "farseer": "jscale.laws.loss_surfaces:farseer",
    "kaplan_size": "jscale.laws.kaplan:kaplan_size",
    "kaplan_data": "jscale.laws.kaplan:kaplan_data",
    "kaplan_compute": "jscale.laws.kaplan:kaplan_compute",
    "kaplan": "jscale.laws.kaplan:kaplan",
    "kaplan_steps": "jscale.laws.kaplan:kaplan_steps",
    "critical_batch": "jscale.laws.kaplan:critical_batch",
    "kaplan_trajectory": "jscale.laws.kaplan:kaplan_trajectory",
    "overtraining": "jscale.laws.overtraining:overtraining",
    "overtraining_code": "jscale.laws.overtraining:overtraining_code",
    "data_constrained": "jscale.laws.data_constrained:data_constrained",
    "encoder_decoder": "jscale.laws.translation:encoder_decoder",
    "multilingual_translation": "jscale.laws.translation:multilingual_translation",
    "exponential_link": "jscale.laws.links:exponential_link",
    "sigmoid_link": "jscale.laws.links:sigmoid_link",
    "log_loss_to_accuracy": "jscale.laws.links:log_loss_to_accuracy",
    "loss_to_loss": "jscale.laws.links:loss_to_loss",
    "bleu_log": "jscale.laws.links:bleu_log",
    "annealing": "jscale.laws.annealing:annealing",
    "annealing_size": "jscale.laws.annealing:annealing_size",
    "parallel": "jscale.laws.parallel:parallel",
    "vocabulary": "jscale.laws.vocabulary:vocabulary",
    "vocabulary_thousands": "jscale.laws.vocabulary:vocabulary_thousands",
    "floating_point_quantization": "jscale.laws.floating_point:floating_point_quantization",
    "precision": "jscale.laws.precision:precision",
    "post_training": "jscale.laws.precision:post_training",
    "quantization_aware": "jscale.laws.precision:quantization_aware",
    "routed": "jscale.laws.experts:routed",
    "fine_grained": "jscale.laws.experts:fine_grained",
    "sparse": "jscale.laws.experts:sparse",
    "joint_experts": "jscale.laws.experts:joint_experts",
    "pruned": "jscale.laws.sparsity:pruned",
    "fine_tuning": "jscale.laws.fine_tuning:fine_tuning",
    "rectified_fine_tuning": "jscale.laws.fine_tuning:rectified_fine_tuning",
    "distillation": "jscale.laws.distillation:distillation",
    "knowledge_capacity": "jscale.laws.knowledge:knowledge_capacity",
    "activation_attack": "jscale.laws.adversarial:activation_attack",
    "adversarial_error": "jscale.laws.adversarial:adversarial_error",
    "rl_post_training": "jscale.laws.reinforcement:rl_post_training",
    "rl_compute": "jscale.laws.reinforcement:rl_compute",
    "intrinsic_performance": "jscale.laws.reinforcement:intrinsic_performance",
    "train_test_exchange": "jscale.laws.reinforcement:train_test_exchange",
    "optimal_learning_rate": "jscale.laws.hyperparameters:optimal_learning_rate",
    "optimal_batch_size": "jscale.laws.hyperparameters:optimal_batch_size",
    "learning_rate_surface": "jscale.laws.hyperparameters:learning_rate_surface",
    "mixing": "jscale.laws.mixtures:mixing",
    "mixture_additive": "jscale.laws.mixtures:mixture_additive",
    "multilingual": "jscale.laws.mixtures:multilingual",
    "domain_continual": "jscale.laws.continual:domain_continual",
    "continual_change": "jscale.laws.continual:continual_change",
    "continual_general": "jscale.laws.continual:continual_general",
    "critical_ratio": "jscale.laws.continual:critical_ratio",
}

_registry = Registry(CATALOGUE)

get = _registry.get
names = _registry.names
register = _registry.register

__all__ = ["CATALOGUE", "get", "names", "register"]
