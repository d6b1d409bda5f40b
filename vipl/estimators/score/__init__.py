"""Estimators that weight draws by the derivative of their log probability."""
